# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

##: the lab: a real Kubernetes node on this machine (LAB=name for more than one)

LAB ?= default
LAB_PYTHON ?= .venv/bin/python
lab = $(LAB_PYTHON) -m lab --lab "$(LAB)"

.PHONY: lab-up
lab-up: setup ## Start the lab, or repair it; ISTIO=1.31.0,1.30.4 KUBERNETES=1.36.3 selects versions
	@$(lab) up $(ARGS)

.PHONY: lab-down
lab-down: setup ## Remove the lab with all that it has created
	@$(lab) down

.PHONY: lab-status
lab-status: setup ## Show the lab's node, processes, addresses, images and stand-ins
	@$(lab) status

.PHONY: lab-build
lab-build: setup ## Find, download or build the programs and images of a lab, and start nothing
	@$(lab) build $(ARGS)

.PHONY: lab-kubeconfig
lab-kubeconfig: ## Print the path of the lab's kubeconfig
	@$(lab) kubeconfig

.PHONY: lab-vars
lab-vars: ## Print the path of a file with the variables that a playbook needs for the lab
	@$(lab) vars

.PHONY: lab-writes
lab-writes: ## Count the writes at the lab's API server; ARGS="--user-agent NAME --since TIME --list"
	@$(lab) writes $(ARGS)
