# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels of Istio's installer, and the components of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INSTALLER = "operator.istio.io"
"""Part of the name of each label of an installer."""

COMPONENT = "operator.istio.io/component"
MANAGED = "operator.istio.io/managed"
VERSION = "operator.istio.io/version"
OWNER_NAME = "install.operator.istio.io/owning-resource"
OWNER_NAMESPACE = "install.operator.istio.io/owning-resource-namespace"
NOT_PRUNED = "install.operator.istio.io/owning-resource-not-pruned"
REVISION = "istio.io/rev"
TAG = "istio.io/tag"
CONFIG = "istio.io/config"
NETWORK = "topology.istio.io/network"
REMOTE_CLUSTER = "istio/multiCluster"
"""The label of Secrets with the kubeconfig of another cluster."""

BASE = "Base"
PILOT = "Pilot"
CNI = "Cni"
ZTUNNEL = "Ztunnel"
INGRESS = "IngressGateways"
EGRESS = "EgressGateways"
GATEWAYS = frozenset({INGRESS, EGRESS})

# Some objects have no component label in their charts, only that of the chart.
_CHARTS = (
    ("base-", BASE),
    ("istiod-", PILOT),
    ("cni-", CNI),
    ("ztunnel-", ZTUNNEL),
    ("istio-ingress-", INGRESS),
    ("istio-egress-", EGRESS),
)


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of an object; empty if it has none."""
    return (obj.get("metadata") or {}).get("labels") or {}


def component_of(obj: Mapping[str, Any]) -> str:
    """Return the component that a rendered object belongs to, as istioctl install labels it."""
    labels = labels_of(obj)
    if labels.get(COMPONENT):
        return labels[COMPONENT]
    chart = labels.get("helm.sh/chart", "")
    for prefix, component in _CHARTS:
        if chart.startswith(prefix):
            return component
    # Releases before 1.24 have neither label on objects that are both in the base chart and in istiod's.
    name = obj["metadata"]["name"]
    if obj["kind"] == "CustomResourceDefinition" or name == "istio-reader-service-account":
        return BASE
    return ZTUNNEL if name == "ztunnel" else PILOT


def owner_labels(
    *, version: str, revision: str, name: str = "", namespace: str = "", component: str = ""
) -> dict[str, str]:
    """Return the labels that istioctl install adds to each object; `revision` is empty for the default one."""
    labels = {MANAGED: "Reconcile", VERSION: version, REVISION: revision or "default"}
    if name:
        labels[OWNER_NAME] = name
    if namespace:
        labels[OWNER_NAMESPACE] = namespace
    if component:
        labels[COMPONENT] = component
    return labels
