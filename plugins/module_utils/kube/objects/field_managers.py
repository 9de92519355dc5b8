# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Field managers of other tools, by the meaning of their fields to a unit.

- Installers set whole objects: a takeover makes their fields the unit's, and removes those that it does not set.
- Editors set whole objects or single fields: the same until the unit applies the object. From then on fields that they
  add stay theirs, and changes of the unit's fields are drift, which is repaired.
- Interactive clients change single fields: changes are drift, and fields that they add stay theirs.
- Controllers of Kubernetes set fields at run time, see runtime_fields.py; other changes are repaired.
- Every other manager sets fields on purpose: changing one is a conflict, see conflicts.py.
"""

from __future__ import annotations

import re

INSTALLERS = frozenset(
    {
        "argocd-application-controller",
        "argocd-controller",
        "before-first-apply",
        "flux",
        "helm",
        "helm-controller",
        "istio-ci",  # istioctl's commands on tags
        "istio-operator",
        "istioctl",
        "kubectl",
        "kubectl-client-side-apply",
        "kubectl-create",
        "kubectl-expose",
        "kubectl-replace",
        "kubectl-run",
        "kustomize-controller",
    }
)
EDITORS = frozenset(
    {
        "HashiCorp",
        "OpenAPI-Generator",  # the Python client, and with it kubernetes.core
        "Swagger-Codegen",
        "Terraform",
        "ansible",
        "kubectl-edit",
        "kubectl-patch",
        "kubectl-set",
        "kubernetes.core",
        "pulumi-kubernetes",
        "pulumi-resource-kubernetes",
        "terraform-provider",
    }
)
PREVIOUS = INSTALLERS | EDITORS
"""Field managers that may have set an object before a unit applies it."""

_INTERACTIVE = frozenset({"Go-http-client", "Mozilla", "curl", "dashboard", "k9s", "node-fetch"})
_CONTROLLERS = frozenset(
    {
        "admissionsenforcer",
        "cert-manager-cainjector",
        "cloud-controller-manager",
        "clusterrole-aggregation-controller",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "pilot-discovery",
    }
)
_COLLECTION = "meshops.istio/"
_SUFFIXED = re.compile(r"(pulumi-kubernetes)-[0-9a-f]+|(terraform-provider)-.+")
_AUTOSCALER = re.compile(r"(^|-)keda(-|$)|autoscaler|(^|-)hpa(-|$)")

HPA_CONTROLLER = "kube-controller-manager"
"""The field manager of HorizontalPodAutoscalers."""


def tool_of(manager: str) -> str:
    """Return a manager's name without suffix: Pulumi appends one for each resource, Terraform its version."""
    match = _SUFFIXED.fullmatch(manager)
    return next(filter(None, match.groups())) if match else manager


def is_interactive(manager: str) -> bool:
    """Return whether it is an interactive client."""
    return manager.startswith("kubectl") or manager in _INTERACTIVE


def is_controller(manager: str) -> bool:
    """Return whether it is a controller, which sets fields at run time."""
    return manager in _CONTROLLERS


def is_autoscaler(manager: str) -> bool:
    """Return whether it sets replicas, by its name."""
    return manager == HPA_CONTROLLER or _AUTOSCALER.search(manager.lower()) is not None


def is_of_collection(manager: str) -> bool:
    """Return whether it is a module of this collection."""
    return manager.startswith(_COLLECTION)
