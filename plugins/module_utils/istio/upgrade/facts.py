# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks of an upgrade read from a cluster, and the form of what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...kube.objects.objects import Kind, Object, key_of
from ..gateways.gateway_api_crds import installed
from ..injection.sidecars import owner_of
from ..model import labels
from ..model.labels import labels_of
from ..model.proxies import has_ended, has_sidecar, revision_of
from .record import Plane, Record
from .state import Mesh

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

ERROR, WARNING, INFO = "error", "warning", "info"

_NETWORKING, _SECURITY = "networking.istio.io/v1", "security.istio.io/v1"
_LISTS = {
    "DestinationRule": Kind(_NETWORKING, "DestinationRule"),
    "ServiceEntry": Kind(_NETWORKING, "ServiceEntry"),
    "WorkloadEntry": Kind(_NETWORKING, "WorkloadEntry"),
    "EnvoyFilter": Kind("networking.istio.io/v1alpha3", "EnvoyFilter"),
    "AuthorizationPolicy": Kind(_SECURITY, "AuthorizationPolicy"),
    "PodDisruptionBudget": Kind("policy/v1", "PodDisruptionBudget"),
    "DaemonSet": Kind("apps/v1", "DaemonSet"),
    "Deployment": Kind("apps/v1", "Deployment"),
}


@dataclass(frozen=True)
class Facts:
    """The mesh before an upgrade; `objects`: those of some kinds, by kind. gateway_api: its version, empty if absent."""

    old: Plane
    new: Plane
    namespace: str = "istio-system"
    mesh: Mesh = field(default_factory=Mesh)
    objects: Mapping[str, list[Object]] = field(default_factory=dict)
    gateway_api: str = ""

    @classmethod
    def read(cls, cluster: Cluster, mesh: Mesh, record: Record, namespace: str) -> Facts:
        """Read the facts for an upgrade."""
        lists = cluster.list_many([(kind, "", "") for kind in _LISTS.values()])
        gateway_api = installed(cluster)
        return cls(
            record.old,
            record.new,
            namespace,
            mesh,
            dict(zip(_LISTS, lists, strict=True)),
            gateway_api.version if gateway_api else "",
        )

    def of(self, kind: str) -> list[Object]:
        """Return the objects of a kind."""
        return list(self.objects.get(kind, ()))

    @property
    def istiod(self) -> Object | None:
        """The Deployment of the old istiod."""
        for one in self.of("Deployment"):
            own, place = labels_of(one), one["metadata"].get("namespace")
            if (own.get("app"), own.get(labels.REVISION, "default"), place) == (
                "istiod",
                self.old.revision,
                self.namespace,
            ):
                return one
        return None

    def environment(self) -> dict[str, str]:
        """Return the environment variables of the old istiod."""
        template = ((self.istiod or {}).get("spec") or {}).get("template") or {}
        containers = (template.get("spec") or {}).get("containers") or ()
        return {
            str(one.get("name")): str(one.get("value") or "") for found in containers for one in found.get("env") or ()
        }

    def pods(self) -> list[Object]:
        """Return the running pods with a sidecar of the old revision."""
        return [
            pod
            for pod in self.mesh.pods
            if not has_ended(pod) and has_sidecar(pod) and revision_of(pod) == self.old.revision
        ]

    def owners(self) -> dict[tuple[str, str, str], Object | None]:
        """Return the owners of these pods by kind, namespace and name; None for those that cannot be restarted."""
        known = {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in self.mesh.owners}
        return {key: known.get(key) for key in sorted({owner_of(pod) for pod in self.pods()})}


def finding(code: str, level: str, origin: str, message: str, fix: str, *, release: str = "") -> dict[str, str]:
    """Return a finding; `origin`: the object or release that it is about."""
    return {"code": code, "level": level, "release": release, "origin": origin, "message": message, "fix": fix}


def named(obj: Mapping[str, Any]) -> str:
    """Return kind, namespace and name of an object."""
    return str(key_of(obj))
