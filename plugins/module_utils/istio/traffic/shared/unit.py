# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a traffic module as one unit: owner label, lock, checks and API versions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ....kube.api.cluster import Cluster
from ....kube.api.unserved import refuse_unserved
from ....kube.apply.lock import Lock
from ....kube.errors import Refused
from ....kube.objects.field_managers import PREVIOUS
from ....kube.objects.objects import Kind, Object
from ....kube.plan.plan import Plan
from ....kube.plan.unit import Unit
from ...model.kinds import INSTALL_ISTIO, is_awaited
from ...model.labels import labels_of
from ...model.ownership import refuse_missing_namespaces
from .fields import Options
from .problems import Problem

OWNER = "meshops.istio/"
"""Prefix of the label of the objects that a module has created; its value is the unit's name."""

_VERSIONS = ("v1", "v1beta1", "v1alpha3", "v1alpha1")
_LONGEST_LABEL = 63
_KUBERNETES = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Builder:
    """A traffic module: builds objects from options, and checks them.

    kinds: all kinds that it can create. build: builds the objects, without owner labels and served versions.
    problems: checks a plan with changes.
    """

    module: str
    kinds: tuple[Kind, ...]
    build: Callable[[Options, Cluster], list[Object]]
    problems: Callable[[Options, Cluster, Plan], Iterable[Problem]]

    def unit(self, options: Options, cluster: Cluster) -> Unit:
        """Return the desired state as a unit; without objects for state absent."""
        name = options["name"]
        wanted = self.build(options, cluster) if options["state"] == "present" else []
        return Unit(
            manager=f"{OWNER}{self.module}/{name}",
            objects=[self._owned(at_served_version(cluster, obj), name) for obj in wanted],
            previous_managers=PREVIOUS,
            stale=lambda cluster: self._made(cluster, options),
            # Subsets before the routes that use them.
            rank=lambda obj: 0 if obj["kind"] == "DestinationRule" else 1,
            awaited=is_awaited,
        )

    def lock(self, options: Options) -> Lock:
        """Return the lock that allows one run at a time, in the namespace of the objects."""
        return Lock.of(self.module.replace("_", "-"), options["name"], namespace=options["namespace"])

    def check(self, options: Options, cluster: Cluster, plan: Plan) -> Iterable[Problem]:
        """Return the failed checks of a plan with changes. Raises Refused for objects of another owner."""
        refuse_missing_namespaces(cluster, plan)
        refuse_owned(plan, self._label(options["name"]))
        return self.problems(options, cluster, plan)

    def _label(self, name: str) -> dict[str, str]:
        value = name
        if len(name) > _LONGEST_LABEL:
            value = f"{name[:50]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        return {f"{OWNER}{self.module}": value}

    def _owned(self, obj: Object, name: str) -> Object:
        metadata = obj["metadata"]
        return {**obj, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **self._label(name)}}}

    def _made(self, cluster: Cluster, options: Options) -> list[Object]:
        selector = ",".join(f"{name}={value}" for name, value in self._label(options["name"]).items())
        kinds = [served_kind(cluster, kind) for kind in self.kinds]
        lists = cluster.list_many([(kind, options["namespace"], selector) for kind in kinds])
        return [obj for found in lists for obj in found]


def served_kind(cluster: Cluster, kind: Kind) -> Kind:
    """Return the kind at the newest version that the cluster serves; unchanged if it serves none."""
    if cluster.serves(kind):
        return kind
    candidates = (Kind(f"{kind.group}/{version}", kind.kind) for version in _VERSIONS)
    return next((candidate for candidate in candidates if cluster.serves(candidate)), kind)


def at_served_version(cluster: Cluster, obj: Object) -> Object:
    """Return the object at a version that the cluster serves. Raises Refused if it serves none."""
    kind = Kind(obj["apiVersion"], obj["kind"])
    found = served_kind(cluster, kind)
    gateway_api = "Install the Gateway API first (meshops.istio.gateway_api)."
    refuse_unserved(cluster, [found], gateway_api if kind.group == _KUBERNETES else INSTALL_ISTIO)
    return {**obj, "apiVersion": found.api_version}


def refuse_owned(plan: Plan, label: Mapping[str, str]) -> None:
    """Raise Refused for a change of an object that belongs to another unit by its label."""
    for change in plan.changes:
        own = labels_of(change.before or {})
        owners = {name.removeprefix(OWNER): value for name, value in own.items() if name.startswith(OWNER)}
        if owners and not label.items() <= own.items():
            module, name = min(owners.items())
            raise Refused(
                f"Cannot apply {change.key}: it already belongs to {module} '{name}'. Change it there, or choose another"
                " name.",
                code="owned",
                object=change.key._asdict(),
            )
