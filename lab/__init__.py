# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded cluster: a real one-node Kubernetes, from official downloads or from package registries alone.

Run it as `python -m lab` from the checkout, or through `make lab-up` and its companions. Nothing outside this
folder knows the lab; a playbook meets it as a kubeconfig, a release folder and an overlay, by ordinary variables.
"""

from __future__ import annotations
