# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Istio's kinds, which need no discovery, and can be planned before their CRDs are installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...kube.objects import object_shapes
from ...kube.objects.objects import Kind, kind_of
from .kind_shapes import SPECS

INSTALL_ISTIO = "Install Istio first, in a version that has it."
"""What to do where the cluster does not serve one of these kinds."""

_VERSIONS: dict[tuple[str, str], tuple[str, ...]] = {
    # The version that all supported releases serve comes last.
    ("networking.istio.io", "DestinationRule"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "EnvoyFilter"): ("v1alpha3",),
    ("networking.istio.io", "Gateway"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "ProxyConfig"): ("v1beta1",),
    ("networking.istio.io", "ServiceEntry"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "Sidecar"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "VirtualService"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "WorkloadEntry"): ("v1alpha3", "v1", "v1beta1"),
    ("networking.istio.io", "WorkloadGroup"): ("v1alpha3", "v1", "v1beta1"),
    ("security.istio.io", "AuthorizationPolicy"): ("v1", "v1beta1"),
    ("security.istio.io", "PeerAuthentication"): ("v1", "v1beta1"),
    ("security.istio.io", "RequestAuthentication"): ("v1", "v1beta1"),
    ("telemetry.istio.io", "Telemetry"): ("v1", "v1alpha1"),
    ("extensions.istio.io", "TrafficExtension"): ("v1alpha1",),
    ("extensions.istio.io", "WasmPlugin"): ("v1alpha1",),
}
object_shapes.add_kinds(SPECS)


def _plural(kind: str) -> str:
    return f"{kind[:-1].lower()}ies" if kind.endswith(("cy", "ry")) else f"{kind.lower()}s"


KINDS: tuple[Kind, ...] = tuple(
    Kind(f"{group}/{version}", kind) for (group, kind), versions in _VERSIONS.items() for version in versions
)
"""Every kind at every version."""

DEFINITIONS: tuple[dict[str, Any], ...] = tuple(
    {
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": _plural(kind)},
            "versions": [{"name": version} for version in versions],
        }
    }
    for (group, kind), versions in _VERSIONS.items()
)
"""Their CustomResourceDefinitions, as far as they are needed to address objects."""

REMOVED_GROUPS: dict[str, str] = {
    "authentication.istio.io": "PeerAuthentication and RequestAuthentication of security.istio.io/v1, or the modules mtls"
    " and authorization",
    "config.istio.io": "Telemetry of telemetry.istio.io/v1, or the modules traffic_policy and authorization",
    "rbac.istio.io": "AuthorizationPolicy of security.istio.io/v1, or the module authorization",
}
"""API groups that Istio has removed, and their replacements."""

_WITHOUT_READINESS = frozenset({group for group, _kind in _VERSIONS} | {"install.istio.io"})


def is_awaited(obj: Mapping[str, Any]) -> bool:
    """Return whether an object has to become ready.

    Istio's kinds are not awaited: istiod writes their status late or never, and `observedGeneration` is a text in it.
    """
    return kind_of(obj).group not in _WITHOUT_READINESS
