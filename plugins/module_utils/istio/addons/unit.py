# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addons of a mesh as one unit: its objects, its inventory, and the checks of its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...kube.api.unserved import refuse_unserved
from ...kube.apply.lock import Lock
from ...kube.objects.builtin_kinds import of_definitions
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.objects import Kind, Object, key_of, kind_of
from ...kube.plan.immutable_fields import ImmutableFields
from ...kube.plan.inventory import Inventory
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..model.kinds import DEFINITIONS, INSTALL_ISTIO, KINDS, is_awaited
from ..model.labels import labels_of
from ..model.ownership import refuse_missing_namespaces
from ..traffic.gateways import checks
from ..traffic.shared.fields import NETWORKING
from ..traffic.shared.problems import refuse_fatal
from ..traffic.shared.unit import OWNER, at_served_version, refuse_owned, served_kind
from .telemetry import TELEMETRY, refuse_second, refuse_unknown_providers

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/addons"
LABEL = f"{OWNER}addons"
"""Label of the objects of a mesh's addons; its value is the control plane's namespace."""

ADDON_LABEL = f"{OWNER}addon"
"""Label with the addon that an object belongs to; shared objects have none."""

_MONITORS: tuple[Object, ...] = tuple(
    {
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": f"{kind.lower()}s"},
            "versions": [{"name": "v1"}],
        }
    }
    for kind in ("PodMonitor", "ServiceMonitor")
)
"""The Prometheus operator's CRDs, as far as they are needed to address their objects."""

_NEVER_PRUNED = frozenset({"CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"})
"""Kinds that are never pruned, because that would delete users' data."""

_SEARCHED = (
    *(Kind("v1", kind) for kind in ("ConfigMap", "Service", "ServiceAccount")),
    *(Kind("apps/v1", kind) for kind in ("Deployment", "StatefulSet")),
    *(Kind("rbac.authorization.k8s.io/v1", kind) for kind in ("ClusterRole", "ClusterRoleBinding")),
    *(Kind("rbac.authorization.k8s.io/v1", kind) for kind in ("Role", "RoleBinding")),
    *of_definitions(_MONITORS),
)
_TRAFFIC = (Kind(NETWORKING, "Gateway"), Kind(NETWORKING, "VirtualService"), TELEMETRY)


@dataclass(frozen=True)
class Assumed:
    """Objects that an earlier step of the run creates: the namespaces of gateways, and the mesh's providers by name."""

    gateway_namespaces: Sequence[str] = ()
    providers: Sequence[str] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Assumed | None:
        """Read the option `assume`; None if it is not set."""
        if options is None:
            return None
        return cls(options.get("gateway_namespaces") or (), options.get("providers") or ())


@dataclass(frozen=True)
class Addons:
    """The addons of the control plane in a namespace."""

    namespace: str

    @property
    def lock(self) -> Lock:
        """The lock that allows one run at a time for each mesh."""
        return Lock.of("addons", namespace=self.namespace)

    def placed(self, cluster: Cluster, objects: Sequence[Mapping[str, Any]], addon: str = "") -> list[Object]:
        """Return the objects as they are applied: with the labels, at API versions that the cluster serves.

        Istio's kinds keep their version if Istio is not installed.
        """
        cluster.learn(
            [*DEFINITIONS, *_MONITORS, *(one for one in objects if one["kind"] == "CustomResourceDefinition")]
        )
        return [self._placed(cluster, obj, addon) for obj in objects]

    def _placed(self, cluster: Cluster, obj: Mapping[str, Any], addon: str) -> Object:
        metadata = dict(obj["metadata"])
        own = {LABEL: self.namespace, **({ADDON_LABEL: addon} if addon else {})}
        metadata["labels"] = {**(metadata.get("labels") or {}), **own}
        found = {**obj, "metadata": metadata}
        return at_served_version(cluster, found) if cluster.serves(served_kind(cluster, kind_of(obj))) else found

    def unit(
        self, objects: Sequence[Object], *, only: Sequence[str] = (), prune: bool = True, check_mode: bool = False
    ) -> Unit:
        """Return the desired state: these objects and, with `prune`, no others of these addons.

        only: the addons to prune, all if empty. In check mode the control plane's namespace may not exist yet.
        """
        return Unit(
            manager=MANAGER,
            objects=objects,
            previous_managers=PREVIOUS,
            stale=self._labelled,
            inventory=Inventory(
                "addons",
                "",
                self.namespace,
                records=lambda obj: obj["kind"] not in _NEVER_PRUNED,
                owns=lambda obj: labels_of(obj).get(LABEL, self.namespace) == self.namespace,
                prunes=lambda obj: prune and (not only or labels_of(obj).get(ADDON_LABEL) in only),
            ),
            assumed=frozenset({self.namespace} if check_mode else ()),
            awaited=is_awaited,
        )

    def _labelled(self, cluster: Cluster) -> list[Object]:
        """List the objects with the label of these addons, for clusters without an inventory."""
        cluster.learn([*DEFINITIONS, *_MONITORS])
        kinds = [*_SEARCHED, *(served_kind(cluster, kind) for kind in _TRAFFIC)]
        lists = cluster.list_many([(kind, self.namespace, f"{LABEL}={self.namespace}") for kind in kinds])
        return [obj for objects in lists for obj in objects if labels_of(obj).get(LABEL) == self.namespace]

    def check(
        self,
        cluster: Cluster,
        plan: Plan,
        *,
        providers: Mapping[str, str],
        minor: tuple[int, int],
        check_mode: bool,
        assumed: Assumed | None = None,
    ) -> None:
        """Raise Refused for a plan that cannot work, or that takes over objects of another owner.

        providers: those of tracing and access logs, by their option. In check mode the control plane, its gateways and
        its providers may not exist yet: `assumed` has those to come; if it is None they are not checked.
        """
        _name_storage(plan)
        refuse_owned(plan, {LABEL: self.namespace})
        _refuse_unserved_monitors(cluster, plan)
        refuse_missing_namespaces(cluster, plan)
        coming = assumed if check_mode else Assumed()
        if coming is None:
            return
        if not check_mode:
            _refuse_without_istio(cluster, plan)
        if any(obj["kind"] == TELEMETRY.kind for obj in plan.objects):
            refuse_second(cluster, self.namespace)
            refuse_unknown_providers(cluster, providers, self.namespace, minor, coming.providers)
        gateways = [obj for obj in plan.objects if obj["kind"] == "Gateway"]
        if any(change.desired and change.key.kind == "Gateway" for change in plan.changes):
            wrong = checks.problems({}, cluster, replace(plan, objects=gateways), assumed=coming.gateway_namespaces)
            refuse_fatal(wrong, force=False)


def installed(plan: Plan) -> list[str]:
    """The addons that objects of a plan's live ones belong to."""
    return sorted({name for obj in plan.live.values() if (name := labels_of(obj).get(ADDON_LABEL))})


def _name_storage(plan: Plan) -> None:
    """Name the option in errors about immutable fields of PersistentVolumeClaims."""
    for number, change in enumerate(plan.changes):
        problem, addon = change.problem, labels_of(change.desired or {"metadata": {}}).get(ADDON_LABEL)
        if isinstance(problem, ImmutableFields) and addon and any(".storage" in path for path in problem.fields):
            note = f"The option is storage.{addon}, in the role mesh mesh_addons_storage."
            named = ImmutableFields(problem.key, problem.fields, f"{problem.remedy} {note}")
            plan.changes[number] = replace(change, problem=named)


def _refuse_unserved_monitors(cluster: Cluster, plan: Plan) -> None:
    monitors = of_definitions(_MONITORS)
    for obj in plan.objects:
        if kind_of(obj) in monitors:
            refuse_unserved(
                cluster,
                [kind_of(obj)],
                "Install the Prometheus operator or its CRDs first.",
                task=f"Cannot apply {key_of(obj)} of the addon {labels_of(obj)[ADDON_LABEL]}",
                object=key_of(obj)._asdict(),
            )


def _refuse_without_istio(cluster: Cluster, plan: Plan) -> None:
    for obj in plan.objects:
        if kind_of(obj) in KINDS:
            task = f"Cannot apply {key_of(obj)}"
            refuse_unserved(cluster, [kind_of(obj)], INSTALL_ISTIO, task=task, object=key_of(obj)._asdict())
