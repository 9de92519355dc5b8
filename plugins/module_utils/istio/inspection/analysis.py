# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the permissions for `istioctl analyze` and precheck, which without them report nothing or hang."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...kube.api.cluster import Access
from ...kube.errors import Refused
from ...kube.objects.kinds import NAMESPACE
from ...kube.objects.objects import Kind
from ...kube.plan.permissions import refuse_denied
from ..model.kinds import DEFINITIONS

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

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
)
_ISTIO = [(one["spec"]["group"], one["spec"]["names"]["plural"]) for one in DEFINITIONS]


def refuse_blind(cluster: Cluster, namespaces: Sequence[str], resources: Iterable[tuple[str, str]] = ()) -> None:
    """Raise Refused if a namespace or Istio is not found, or the user lacks permissions for the analysis.

    `resources`: groups and plurals of Istio's kinds in the release that analyzes; by default, of all releases.
    """
    missing = [name for name in namespaces if cluster.get(NAMESPACE, name) is None]
    if missing:
        raise Refused(
            f"Cannot analyze the configuration: Namespace {', '.join(missing)} not found. Correct the namespaces.",
            code="namespace_missing",
            namespaces=missing,
        )
    if not any(cluster.serves(_ROUTE._replace(api_version=f"{_ROUTE.group}/{one}")) for one in ("v1", "v1beta1")):
        raise Refused(
            "Cannot analyze the configuration: Istio's CustomResourceDefinitions not found in the cluster. Install Istio"
            " first.",
            code="no_istio",
        )
    seen = [Access("get", "", plural) for plural in ("configmaps", "namespaces")]
    refuse_denied(
        cluster, [*seen, *(Access("list", group, plural) for group, plural in (*_ANALYZED, *(resources or _ISTIO)))]
    )


def refuse_blind_precheck(cluster: Cluster) -> None:
    """Raise Refused if the user lacks permissions for what `istioctl experimental precheck` reads.

    Also for what is read after the installation to report on the mesh, so that it does not fail then.
    """
    refuse_denied(cluster, [Access("list", group, plural) for group, plural in (*_PRECHECKED, *_REPORTED)])
