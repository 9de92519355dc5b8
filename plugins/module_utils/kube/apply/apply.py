# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes a plan: many requests in flight, in the order that the API needs and that time asks for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from .. import threads
from ..api.cluster import Cluster
from ..api.connection import POOL_SIZE
from ..deadline import seconds_left
from ..errors import MeshError
from ..objects.builtin_kinds import BUILT_IN, defined_by, of_definitions
from ..objects.objects import Key, Kind, Object, key_of
from ..plan.change import Change
from ..plan.plan import Identity, Plan
from ..plan.recreate import propagation
from ..progress import Progress, silent
from ..wait.wait import wait_endpoint, wait_gone, wait_ready
from .schedule import Step, run_steps
from .write import delete_object, write

SERVED_WITHIN = 10.0
"""Seconds after which every API server of a cluster should serve a kind whose CRD one of them has established."""

ROUTED_WITHIN = 0.5
"""Seconds from a new Service's first endpoint until what is sent then may start.

kube-proxy writes its rules once a second: who connects earlier is refused, and asks again only a second or two later. A
pod takes the other half of that second to start.
"""

RECORDING = "inventory"
"""The step that writes the unit's inventory."""

_FIRST = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CustomResourceDefinition",
        "LimitRange",
        "Namespace",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
        "StorageClass",
    }
)
_WORKLOADS = frozenset({"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"})
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
_LAST_DELETED = {"CustomResourceDefinition": 4, "Namespace": 5}


def default_rank(obj: Object) -> int:
    """Return the default rank of an object: configuration and rights before workloads, everything else after them."""
    return 0 if obj["kind"] in _FIRST else 1 if obj["kind"] in _WORKLOADS else 2


def apply_changes(
    cluster: Cluster,
    plan: Plan,
    *,
    gates: bool,
    deadline: float,
    progress: Progress,
    back_off: float | None = None,
) -> dict[Identity, Object]:
    """Create and update what the plan says; returns the objects as the API server has them then.

    gates: hold objects back until the Service that they need has a ready endpoint. back_off: the seconds that one of its
        containers may be in back-off; None for the deadline.

    Raises Refused for an object that the API server does not accept, NotReady where a gate or a CRD stays closed.
    """
    made = _Steps(cluster, plan, gates, deadline, progress, back_off)
    steps = made.steps
    total, written = sum(_counts(step) for step in steps), 0

    def done(step: Step) -> None:
        nonlocal written
        written += _counts(step)
        if _counts(step) and (written == total or written % 100 == 0):
            progress(f"applied {written} of {total} objects")

    run_steps(steps, workers=POOL_SIZE, done=done)
    return made.written


def delete_stale(
    cluster: Cluster,
    plan: Plan,
    *,
    awaited: bool,
    deadline: float,
    progress: Progress,
    first: bool = False,
) -> None:
    """Delete what the plan says, webhooks first and namespaces last; `awaited`: until all of it is gone.

    What is being deleted already is awaited in its turn.
    `first`: what stands in the way of the rest, which is to be deleted before that is applied.
    """
    waves: dict[int, list[Change]] = {}
    ending: dict[int, list[Key]] = {}
    for change in plan.changes:
        if change.action == "delete" and change.first == first:
            waves.setdefault(_deletion_rank(change.key), []).append(change)
    for key in plan.ending if awaited and not first else ():
        ending.setdefault(_deletion_rank(key), []).append(key)
    usual = "Foreground" if plan.unit.with_pods and awaited else "Background"
    successors = {change.key.identity: change.desired for change in plan.changes if change.recreated and change.desired}

    def delete(change: Change) -> None:
        delete_object(cluster, propagation(change, successors.get(change.key.identity)) or usual, change)

    for rank in sorted({*waves, *ending}):
        if wave := waves.get(rank, []):
            cluster.parallel(delete, wave)
            more = " and others" if len(wave) > 3 else ""
            progress(f"deleted {', '.join(str(change.key) for change in wave[:3])}{more}")
        keys = [*(change.key for change in wave if awaited or change.recreated), *ending.get(rank, [])]
        if keys:
            wait_gone(cluster, keys, timeout=seconds_left(deadline), progress=progress)


class _Steps:
    """A plan's creations and updates as steps: who needs whom, and what is worth going first."""

    def __init__(
        self, cluster: Cluster, plan: Plan, gates: bool, deadline: float, progress: Progress, back_off: float | None
    ) -> None:
        self._cluster, self._plan, self._deadline = cluster, plan, deadline
        self._progress, self._back_off = progress, back_off
        self._gate = plan.unit.gate if gates else None
        self._rank = plan.unit.rank or default_rank
        changes = [change for change in plan.changes if change.desired is not None]
        self._named: set[Hashable] = {change.key.identity for change in changes}
        self._created = {change.key.identity for change in changes if change.before is None}
        self._guards: set[Hashable] = {
            change.key.identity for change in changes if change.key.kind == "ValidatingWebhookConfiguration"
        }
        definitions = [
            change.desired for change in changes if change.desired and change.key.kind == "CustomResourceDefinition"
        ]
        self._definitions = {defined_by(definition): key_of(definition) for definition in definitions}
        self.written: dict[Identity, Object] = {}
        self._passive: dict[Hashable, Step] = {}
        active = [self._step(change) for change in changes]
        self._order(active)
        self.steps = [*active, *self._passive.values(), *self._recording(active)]
        if new := [definition for definition in definitions if key_of(definition).identity in self._created]:
            self.steps.append(self._awaken(new))

    def _recording(self, active: list[Step]) -> list[Step]:
        """The inventory, before everything but the namespace that it is in."""
        recording = self._plan.recording
        if recording is None or recording.first is None:
            return []
        wanted, namespace = recording.first, ("", "Namespace", "", recording.inventory.namespace)

        def run() -> None:
            change = Change("update", recording.inventory.key, recording.before, wanted, desired=wanted)
            write(self._cluster, self._plan, change, patience=0.0)

        for step in active:
            if step.name != namespace:
                step.needs.add(RECORDING)
        return [Step(RECORDING, run, needs=self._named & {namespace})]

    def _step(self, change: Change) -> Step:
        needs: set[Hashable] = self._named & {("", "Namespace", "", change.key.namespace)}
        definition = None
        if change.key.of not in BUILT_IN:
            needs |= self._guards
            definition = self._definitions.get((change.key.of.group, change.key.kind))
            if definition:
                needs.add(self._establishing(definition))
        service = self._gate(change.desired) if self._gate and change.desired else None
        if service is not None:
            needs.add(self._opening(service))

        def run() -> None:
            patience = SERVED_WITHIN if definition else 0.0
            self.written[change.key.identity] = write(self._cluster, self._plan, change, patience=patience)

        return Step(change.key.identity, run, needs=needs)

    def _order(self, active: list[Step]) -> None:
        """Order each rank after the lower ones; namespaces, custom resources and gated objects have needs of their own."""
        objects = [*self._plan.objects, *(change.desired for change in self._plan.changes if change.desired)]
        ranks: dict[Hashable, int] = {key_of(obj).identity: self._rank(obj) for obj in objects}
        members: dict[int, set[Hashable]] = {}
        for step in active:
            step.order = max(ranks.values())
            # Who waits for webhooks must not be waited for by them.
            if _kind(step) != "Namespace" and not step.needs - (self._named - self._guards):
                step.order = ranks[step.name]
                members.setdefault(step.order, set()).add(step.name)
        below: set[Hashable] = set()
        for rank in sorted(set(ranks.values())):
            for step in active:
                if ranks[step.name] == rank and _kind(step) != "Namespace":
                    step.needs |= below
            if rank in members:
                # One step stands for all of a rank, which may be thousands.
                below = {self._passively(("rank", rank), members[rank] | below, _nothing)}

    def _establishing(self, definition: Key) -> Hashable:
        return self._wait(("established", definition), {definition.identity}, wait_ready, [definition])

    def _awaken(self, definitions: Sequence[Object]) -> Step:
        """Ask for new kinds before their controllers do, beside everything else.

        The API server makes a kind's watch cache at the first request, and answers watches until then with 429.
        """
        keys = [key_of(definition) for definition in definitions]

        def ask_for(definition: Object) -> None:
            with contextlib.suppress(MeshError):  # a lack of rights among them: nothing depends on the answer
                self._cluster.list(next(iter(of_definitions([definition]))))

        def ask() -> None:
            with contextlib.suppress(MeshError):
                wait_ready(self._cluster, keys, timeout=min(SERVED_WITHIN, self._left), progress=silent)
                for definition in definitions:
                    threads.start(ask_for, definition)

        return Step("awake", partial(threads.start, ask), needs={key.identity for key in keys}, passive=True)

    def _opening(self, service: Key) -> Hashable:
        def wait(cluster: Cluster, awaited: Key, *, timeout: float, progress: Progress) -> None:
            wait_endpoint(cluster, awaited, timeout=timeout, progress=progress, back_off=self._back_off)
            if awaited.identity in self._created:
                time.sleep(min(ROUTED_WITHIN, self._left))

        return self._wait(("endpoint", service), set(), wait, service)

    def _wait(self, name: Hashable, needs: set[Hashable], function: Callable[..., None], awaited: Any) -> Hashable:
        def run() -> None:
            function(self._cluster, awaited, timeout=self._left, progress=self._progress)

        return self._passively(name, needs, run)

    @property
    def _left(self) -> float:
        return seconds_left(self._deadline)

    def _passively(self, name: Hashable, needs: set[Hashable], run: Callable[[], None]) -> Hashable:
        self._passive.setdefault(name, Step(name, run, needs=needs, passive=True))
        return name


def _nothing() -> None:
    pass


def _counts(step: Step) -> bool:
    return not step.passive and step.name != RECORDING


def _kind(step: Step) -> str:
    return step.name[1] if isinstance(step.name, tuple) else ""


def _deletion_rank(key: Key) -> int:
    """Webhooks first, since they could block the rest; then what needs its controller; then the controllers."""
    if key.kind in _WEBHOOKS:
        return 0
    if key.kind in _LAST_DELETED:
        return _LAST_DELETED[key.kind]
    if Kind(key.api_version, key.kind) not in BUILT_IN:
        return 1
    return 2 if key.kind in _WORKLOADS else 3
