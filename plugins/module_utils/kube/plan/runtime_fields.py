# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do not apply fields that controllers set at run time.

They are replicas under an autoscaler, the rules of aggregated ClusterRoles, CA bundles, and other fields of Kubernetes'
controllers. A field that another manager owns (by managedFields) is not applied; for a field that only the unit owns
the live value is applied, because a field without owners would be reset to its default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ApiError
from ..objects import managed_fields
from ..objects.field_managers import HPA_CONTROLLER, is_autoscaler, is_controller
from ..objects.field_sets import Fields, drop, minus
from ..objects.kinds import CLUSTER_ROLE, HORIZONTAL_POD_AUTOSCALER
from ..objects.objects import Object, key_of, kind_of

if TYPE_CHECKING:
    from ..api.cluster import Cluster

Identity = tuple[str, str, str, str]

_SCALERS = {"HorizontalPodAutoscaler": "autoscaling", "ScaledObject": "keda.sh"}
_REPLICAS: Fields = {"f:spec": {"f:replicas": {}}}
_BUNDLES: Mapping[str, Fields] = {
    "APIService": {"f:spec": {"f:caBundle": {}}},
    "CustomResourceDefinition": {
        "f:spec": {"f:conversion": {"f:webhook": {"f:clientConfig": {"f:caBundle": {}}}}},
    },
}
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


class RuntimeFields:
    """Removes run-time fields from the objects of a unit.

    wanted: the unit's objects. leaving: those that its plan deletes. managers: the unit's field manager and those that it
    takes over. force: apply replicas, unless a HorizontalPodAutoscaler sets them.
    """

    def __init__(
        self,
        cluster: Cluster,
        wanted: Collection[Object],
        leaving: Collection[Identity],
        managers: Collection[str],
        *,
        force: bool = False,
    ) -> None:
        self._cluster, self._leaving, self._managers, self._force = cluster, leaving, managers, force
        self._targets = set(map(_target, filter(is_scaler, wanted)))
        self._live: dict[str, set[tuple[str, str, str]] | None] = {}

    def adjusted(self, desired: Object, live: Object | None) -> Object:
        """Return `desired`, changed in place, as it is to be applied over `live`."""
        if kind_of(desired) == CLUSTER_ROLE and desired.get("aggregationRule"):
            self._omit(desired, live or desired, "rules")
        if live is None:
            return desired
        if desired["kind"] in _WEBHOOKS:
            self._omit_bundles(desired, live)
        bundle = _BUNDLES.get(desired["kind"])
        if bundle and self._owners(live, bundle) - self._ours(live):
            drop(desired, bundle)
        self._omit_controllers_fields(desired, live)
        if "replicas" in (live.get("spec") or {}) and isinstance(desired.get("spec"), dict):
            self._omit_replicas(desired, live)
        return desired

    def _omit(self, desired: Object, live: Object, name: str) -> None:
        """Omit a field that others own; apply the live value of one that only the unit owns."""
        desired.pop(name, None)
        owners = self._owners(live, {f"f:{name}": {}})
        if owners and not owners - self._ours(live) and live.get(name):
            desired[name] = live[name]

    def _omit_bundles(self, desired: Object, live: Object) -> None:
        theirs = managed_fields.others(live, self._managers).get("f:webhooks") or {}
        for webhook in desired.get("webhooks") or ():
            owned = theirs.get(f'k:{{"name":"{webhook.get("name")}"}}') or {}
            if "f:caBundle" in (owned.get("f:clientConfig") or {}):
                webhook["clientConfig"].pop("caBundle", None)

    def _omit_controllers_fields(self, desired: Object, live: Object) -> None:
        entries = [one for one in managed_fields.entries(live) if _runs(one)]
        if entries:
            ours = managed_fields.fields_of(live, self._managers)
            drop(
                desired,
                minus(minus(managed_fields.union(one.get("fieldsV1") or {} for one in entries), ours), _REPLICAS),
            )

    def _omit_replicas(self, desired: Object, live: Object) -> None:
        spec = desired["spec"]
        owners, ours = self._owners(live, _REPLICAS), self._ours(live)
        if not self._is_scaled(desired, live, bool(owners & ours) and "replicas" not in spec):
            return
        if owners - ours:
            spec.pop("replicas", None)
        elif owners:
            spec["replicas"] = live["spec"]["replicas"]

    def _is_scaled(self, desired: Object, live: Object, given_up: bool) -> bool:
        """Return whether an autoscaler sets the replicas; `given_up`: the unit no longer sets them."""
        if _identity(desired) in self._targets:
            return True
        scalers = {str(one.get("manager")) for one in managed_fields.entries(live) if _scales(one)}
        if scalers - {HPA_CONTROLLER} and not self._force:
            return True
        return bool(scalers or given_up) and self._has_autoscaler(desired)

    def _has_autoscaler(self, obj: Object) -> bool:
        """Return whether a HorizontalPodAutoscaler scales it; true without permission to list them."""
        namespace = key_of(obj).namespace
        if namespace not in self._live:
            self._live[namespace] = self._read(namespace)
        targets = self._live[namespace]
        return targets is None or _identity(obj) in targets

    def _read(self, namespace: str) -> set[tuple[str, str, str]] | None:
        try:
            found = self._cluster.list(HORIZONTAL_POD_AUTOSCALER, namespace)
        except ApiError as error:
            if error.status != 403:
                raise
            return None
        staying = (one for one in found if key_of(one).identity not in self._leaving)
        return {_target(one) for one in staying if not one["metadata"].get("deletionTimestamp")}

    def _owners(self, live: Object, owned: Fields) -> frozenset[str]:
        return frozenset(
            str(one.get("manager")) for one in managed_fields.entries(live) if _holds(one.get("fieldsV1") or {}, owned)
        )

    def _ours(self, live: Object) -> frozenset[str]:
        return frozenset(str(one.get("manager")) for one in managed_fields.held_by(live, self._managers))


def is_scaler(obj: Mapping[str, Any]) -> bool:
    """Return whether an object is an autoscaler."""
    return _SCALERS.get(obj["kind"]) == kind_of(obj).group


def _target(scaler: Mapping[str, Any]) -> tuple[str, str, str]:
    target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
    # The kind is optional in KEDA's.
    return scaler["metadata"].get("namespace", ""), target.get("kind", "Deployment"), target.get("name", "")


def _identity(obj: Mapping[str, Any]) -> tuple[str, str, str]:
    return obj["metadata"].get("namespace", ""), obj["kind"], obj["metadata"]["name"]


def _scales(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is an autoscaler's that has set replicas, rather than kubectl's."""
    manager = str(entry.get("manager"))
    sets = entry.get("subresource") == "scale" and not manager.startswith("kubectl")
    return (sets or is_autoscaler(manager)) and _holds(entry.get("fieldsV1") or {}, _REPLICAS)


def _runs(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a controller's, except istiod and AKS's enforcer (see control_plane/runtime_fields)."""
    manager = str(entry.get("manager"))
    return is_controller(manager) and manager not in ("admissionsenforcer", "pilot-discovery")


def _holds(owned: Fields, path: Fields) -> bool:
    return all(key in owned and _holds(owned[key], child) for key, child in path.items())
