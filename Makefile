SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

bin := $(CURDIR)/.venv/bin
export PATH := $(bin):$(PATH)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##: / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' \
	    $(MAKEFILE_LIST)

##: development

.PHONY: setup
setup: ## Create .venv with the tools and this checkout as the collection meshops.istio
	@tools/setup

.PHONY: constraints
constraints: setup ## Update constraints.txt to the newest versions
	@tools/constraints

.PHONY: format
format: setup ## Format the Python code, and fix what ruff can fix
	ruff check --fix .
	ruff format .

.PHONY: docs
docs: setup ## Write what is generated: options of roles, pages of variables and permissions, AWX surveys, the picture of the rooms
	python tools/default_version.py
	python tools/role_options.py
	python tools/argspec_table.py
	python tools/rooms.py
	python tools/permissions_page.py
	python tools/releases_page.py
	python tools/awx_surveys.py

.PHONY: release
release: setup ## Write the changelog for the version in galaxy.yml, and remove its fragments
	antsibull-changelog lint
	antsibull-changelog release

.PHONY: clean
clean: ## Remove .venv, build and caches of the checkout; labs and other caches stay
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -prune -exec rm -rf {} +

##: tests

.PHONY: lint
lint: setup ## Check format, style, types, playbooks and roles
	@tools/lint

.PHONY: unit
unit: setup ## Run the unit tests: seconds, no cluster
	pytest --numprocesses auto -m "not playbook" tests/unit

.PHONY: unit-playbooks
unit-playbooks: setup ## Run the tests of playbooks and roles against an API server in memory; takes minutes
	pytest --numprocesses auto -m playbook tests/unit

.PHONY: sanity
sanity: setup ## Run ansible-test sanity on an exported copy
	@tools/sanity

.PHONY: molecule
molecule: setup ## Converge, repair, idempotence and verify on each kind of cluster; SCENARIO=name runs one
	@python tools/scenarios.py $(SCENARIO)

TESTS ?= $(addprefix tests/integration/,istio kube lab modules playbooks)

.PHONY: integration
integration: lab-up ## Test on the lab, with real traffic; TESTS=tests/integration/kube runs a part
	kubeconfig=$$($(MAKE) -s lab-kubeconfig) && KUBECONFIG=$$kubeconfig pytest $(TESTS)

.PHONY: clusters
clusters: setup ## Test three clusters of one inventory, and minikube's own program; takes longer
	pytest tests/integration/clusters

.PHONY: rights
rights: lab-up ## Remove each documented permission once: the error must name it; takes longer
	pytest tests/integration/permissions

.PHONY: lifecycle
lifecycle: lab-up ## Test purge, removal and two runs at once, on a lab without a mesh; takes longer
	pytest tests/integration/lifecycle

field-cases: export LAB = field
safety: export LAB = safety

.PHONY: field-cases
field-cases: lab-up ## Run cases from the field on a lab of their own, and show what was seen; CASES="-k text" runs some
	pytest tests/integration/field_cases $(CASES)

.PHONY: safety
safety: lab-up ## Test foreign objects, another cluster, two writers and secrets, on labs of their own
	pytest tests/integration/safety $(CASES)

.PHONY: fuzz
fuzz: setup ## Generate mistakes in input: none may end as an internal error; SEED=1 COUNT=10000
	FUZZ_SEED=$(SEED) FUZZ_COUNT=$(COUNT) pytest tests/fuzz

.PHONY: traffic
traffic: lab-up ## Test routes, policies, gateways and mutual TLS on the lab, with real traffic; takes longer
	kubeconfig=$$($(MAKE) -s lab-kubeconfig) && KUBECONFIG=$$kubeconfig pytest tests/integration/traffic

# The labs change the mesh, so that they have a lab of their own.
seed%: export LAB = seeds

.PHONY: seeds
seeds: lab-up ## Run the five labs with real traffic, and show what was seen at each step; seed-000 runs one
	pytest tests/integration/labs tests/integration/traffic -m step

# What a mesh is for, the list of 002.5, is seen by the tests of traffic.
seed-%: lab-up
	pytest tests/integration/labs/test_$*_*.py $(if $(filter 002,$*),tests/integration/traffic) -m step

.PHONY: equivalence
equivalence: setup ## Compare with istioctl install, on two simulated labs; INPUT=file.yaml compares one, SHORT=1 a few; RELEASES=1.30.4,1.31.0
	@python -m ansible_collections.meshops.istio.tests.equivalence.run

.PHONY: versions
versions: setup ## Install, repeat, verify, add addons and uninstall each release of Istio on its Kubernetes; ROWS=1.31.0,... runs some
	@python -m ansible_collections.meshops.istio.tests.versions.run

.PHONY: upgrade
upgrade: setup ## Upgrade a mesh from release to release and back while a client sends requests: none may be lost; ONLY=text selects
	@python -m ansible_collections.meshops.istio.tests.upgrade.run

.PHONY: chaos
chaos: setup ## Kill, stall and double runs, fail requests: nothing may be lost; SHORT=1 is brief, ONLY=text selects
	@python -m ansible_collections.meshops.istio.tests.chaos.run

.PHONY: publish-check
publish-check: setup ## Build and check the collection for publishing, in build/publish; CHECK=sanity-* runs some
	@tools/publish-check

.PHONY: lowest
lowest: setup ## Run the unit tests with the oldest libraries that requirements.txt allows; takes minutes
	CHECK=lowest tools/publish-check

.PHONY: checksums
checksums: setup ## Add the published checksums of releases to those that the collection knows; VERSIONS="1.29.1 1.30.0"
	python tools/checksums.py $(VERSIONS)

.PHONY: awx-check
awx-check: setup ## Run awx/ as AWX does, on three simulated labs: jobs, events, artifacts
	MESHOPS_PEERS=$$(tools/peers) pytest tests/awx

.PHONY: bench
bench: setup ## Measure against istioctl, kubectl, kubernetes.core and Helm, on a lab of its own; ROWS=name,... SHORT=1
	@python -m ansible_collections.meshops.istio.tests.benchmark.run

.PHONY: fleet
fleet: setup ## Measure one controller with 1, 2, 4 and 8 simulated clusters; CLUSTERS=1,2 measures these
	@python -m ansible_collections.meshops.istio.tests.fleet.run

.PHONY: azure
azure: setup ## Test the provider aks with Azure's libraries, against a stand-in for Azure; takes longer
	environment=$$(tools/azure) && PYTHONPATH=$(CURDIR)/build/azure $$environment/bin/pytest --numprocesses 2 tests/aks

.PHONY: test
test: ## Run lint, unit, fuzz, sanity, integration, and chaos, equivalence, molecule, bench in short; on labs of their own
	@tools/test

##: a mesh

.PHONY: quickstart
quickstart: setup ## Start a lab, install a mesh and an application, send requests; CLUSTER=existing YES=1 uses your cluster
	@python tools/quickstart.py

.PHONY: verify
verify: setup ## Verify the mesh on the lab
	vars=$$($(MAKE) -s lab-vars) && ansible-playbook meshops.istio.verify --extra-vars "@$$vars" $(ARGS)

-include lab/lab.mk
