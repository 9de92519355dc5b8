# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether istioctl can see what it is to judge: where it cannot, it is silent, or waits for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...kube.api.cluster import Access
from ...kube.errors import Refused
from ...kube.objects.objects import Kind
from ...kube.plan.permissions import refuse_denied
from ..model.kinds import DEFINITIONS

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_NAMESPACE = Kind("v1", "Namespace")
_ROUTE = Kind("networking.istio.io/v1", "VirtualService")
_PRECHECKED = (
    ("", "namespaces"),
    ("", "pods"),
    ("", "services"),
    ("apps", "deployments"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
)
_REPORTED = (("apps", "daemonsets"), ("apps", "statefulsets"))
_ANALYZED = (
    *_PRECHECKED,
    ("", "configmaps"),
    ("", "nodes"),
    ("", "secrets"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    *((one["spec"]["group"], one["spec"]["names"]["plural"]) for one in DEFINITIONS),
)


def refuse_blind(cluster: Cluster, namespaces: Sequence[str]) -> None:
    """Raise Refused where the cluster has no such namespace, no Istio, or hides from this user what is analyzed."""
    missing = [name for name in namespaces if cluster.get(_NAMESPACE, name) is None]
    if missing:
        raise Refused(
            f"The namespace {', '.join(missing)} does not exist, so that it cannot be analyzed.",
            code="namespace_missing",
            namespaces=missing,
        )
    if not any(cluster.serves(_ROUTE._replace(api_version=f"{_ROUTE.group}/{one}")) for one in ("v1", "v1beta1")):
        raise Refused("The cluster does not know Istio's kinds, so that there is nothing to analyze.", code="no_istio")
    seen = [Access("get", "", plural) for plural in ("configmaps", "namespaces")]
    refuse_denied(cluster, [*seen, *(Access("list", group, plural) for group, plural in _ANALYZED)])


def refuse_blind_precheck(cluster: Cluster) -> None:
    """Raise Refused where the cluster hides from this user what `istioctl experimental precheck` looks at.

    So it does for what is read once there is a mesh, to report on it: after an install it would be too late.
    """
    refuse_denied(cluster, [Access("list", group, plural) for group, plural in (*_PRECHECKED, *_REPORTED)])
