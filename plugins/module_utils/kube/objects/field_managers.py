# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Field managers of others, by what their fields mean to a unit. The one list of them.

- Installers set whole objects: their fields become the unit's, and go where the unit does not want them.
- Editors set whole objects or single fields: the same as long as the unit has not applied the object. From then on
  what they add is theirs, and what they change of the unit's is drift, which is repaired.
- Hands of people change single fields: what they change is drift, and what they add is theirs.
- Controllers of Kubernetes set fields at run time, see runtime_fields.py; the rest of what they change is repaired.
- Every other manager sets fields on purpose: to change one is a conflict, see conflicts.py.
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
"""Field managers of those who may have set an object before a unit applies it."""

_HANDS = frozenset({"Go-http-client", "Mozilla", "curl", "dashboard", "k9s", "node-fetch"})
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
"""The manager by which a HorizontalPodAutoscaler sets replicas."""


def tool_of(manager: str) -> str:
    """The name by which a manager is listed: Pulumi's have a suffix for each resource, Terraform's one for the version."""
    match = _SUFFIXED.fullmatch(manager)
    return next(filter(None, match.groups())) if match else manager


def is_hand(manager: str) -> bool:
    """Whether people change objects by it."""
    return manager.startswith("kubectl") or manager in _HANDS


def is_controller(manager: str) -> bool:
    """Whether it sets fields at run time only."""
    return manager in _CONTROLLERS


def is_autoscaler(manager: str) -> bool:
    """Whether it sets replicas, by its name."""
    return manager == HPA_CONTROLLER or _AUTOSCALER.search(manager.lower()) is not None


def is_of_collection(manager: str) -> bool:
    """Whether it is a module of this collection."""
    return manager.startswith(_COLLECTION)
