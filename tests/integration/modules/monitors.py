# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of Prometheus' operator, where the tests need them and the operator is not there."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind

CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
MONITORS = ("PodMonitor", "ServiceMonitor")


def definition(kind: str) -> dict[str, Any]:
    """As much of a CRD of Prometheus' operator as its objects need."""
    plural, schema = f"{kind.lower()}s", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }
