# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether `istioctl analyze` can see what it is to judge: where it cannot, it is silent, or waits for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..kube.cluster import Access
from ..kube.errors import Refused
from ..kube.objects import Kind

if TYPE_CHECKING:
    from ..kube.cluster import Cluster

_NAMESPACE = Kind("v1", "Namespace")
_ROUTE = Kind("networking.istio.io/v1", "VirtualService")
_READ = (
    ("", "configmaps"),
    ("", "namespaces"),
    ("", "nodes"),
    ("", "pods"),
    ("", "secrets"),
    ("", "services"),
    ("apps", "deployments"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("networking.istio.io", "virtualservices"),
    ("security.istio.io", "authorizationpolicies"),
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
    denied = [str(one) for one in cluster.allowed([Access(verb="list", group=g, resource=r) for g, r in _READ])]
    if denied:
        raise Refused(
            f"The user of {cluster.context or cluster.server} may not {', '.join(denied)}, without which istioctl"
            " cannot analyze: grant it.",
            code="forbidden",
            missing=denied,
        )
