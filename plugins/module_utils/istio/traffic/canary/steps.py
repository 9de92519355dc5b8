# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves a route's weight to a new version in steps. The route as it was stays on the object until the end."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.errors import InvalidInput, MeshError, Refused
from ....kube.objects.objects import Key, key_of
from ....kube.plan.foreign_owners import owner_of, refuse
from ....kube.plan.plan import Change
from ....kube.progress import Progress
from ..shared.fields import Object
from ..shared.registry import VIRTUAL_SERVICE
from ..shared.unit import served_kind
from .gate import Finding

MANAGER = "meshops.istio/canary"
BEFORE = "meshops.istio/canary-before"
"""Annotation with the rules for HTTP as they were, as JSON, while a canary is under way."""

_TICK = 5.0
"""Seconds between two lines that tell of a wait."""

Rules = list[dict[str, Any]]


class GateFailed(MeshError):
    """The gate said no, or nothing; the route is as it was before."""

    code = "gate_failed"


@dataclass(frozen=True)
class Goal:
    """The destination that takes over: a subset, a host, or a subset of a host."""

    subset: str = ""
    host: str = ""

    def is_at(self, target: dict[str, Any]) -> bool:
        """Whether this weighted destination is the one."""
        destination = target.get("destination") or {}
        return all(destination.get(key) == value for key, value in vars(self).items() if value)

    def weight(self, rules: Rules) -> int:
        """The weight that it has in the rules that it shares with another destination."""
        return max(int(self._pair(rule)[0].get("weight", 0)) for rule in self._shared(rules))

    def with_weight(self, rules: Rules, weight: int) -> Rules:
        """The rules with this weight, the rest of 100 at the other destination."""
        changed = copy.deepcopy(rules)
        for rule in self._shared(changed):
            ours, other = self._pair(rule)
            ours["weight"], other["weight"] = weight, 100 - weight
        return changed

    def _shared(self, rules: Rules) -> Rules:
        found = [one for one in rules if any(map(self.is_at, one.get("route") or ())) and len(one["route"]) > 1]
        if not found:
            name = " ".join(filter(None, (self.host, self.subset)))
            raise Refused(
                f"No rule of the route has '{name}' beside another destination: give it the weight 0 there first.",
                code="no_canary",
            )
        return found

    def _pair(self, rule: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        ours = [one for one in rule["route"] if self.is_at(one)]
        others = [one for one in rule["route"] if not self.is_at(one)]
        if len(ours) != 1 or len(others) != 1:
            raise Refused("A rule has more than two destinations, among which no weight can be moved.", code="targets")
        return ours[0], others[0]


def check_steps(steps: Sequence[int], interval: float) -> None:
    """Raise InvalidInput for steps that do not lead upwards from 1 to 100."""
    if not steps or list(steps) != sorted(set(steps)) or steps[0] < 1 or steps[-1] > 100:
        raise InvalidInput(f"The steps {', '.join(map(str, steps))} have to rise from 1 to at most 100.", steps=steps)
    if interval < 0:
        raise InvalidInput("interval has to be 0 or more (seconds).", interval=interval)


@dataclass
class Canary:
    """A VirtualService of which weight is moved; `changes` is what was written, or in check mode would be."""

    cluster: Cluster
    name: str
    namespace: str
    goal: Goal
    check_mode: bool
    progress: Progress
    force: bool = False
    changes: list[Change] = field(default_factory=list)

    def read(self) -> Object:
        """The route as it is now. Raises Refused where there is none."""
        kind = served_kind(self.cluster, VIRTUAL_SERVICE)
        found = self.cluster.get(kind, self.name, self.namespace)
        if found is None:
            raise Refused(
                f"There is no VirtualService {self.name} in namespace {self.namespace}: make it with traffic_route.",
                code="route_missing",
            )
        owner = owner_of(found, MANAGER)
        if owner is not None and not self.force:
            refuse(key_of(found), owner)
        return found

    def shift(self, steps: Sequence[int], interval: float, ask: Callable[[], Finding]) -> int:
        """Go through the steps that are left; returns the weight at the end. Raises GateFailed."""
        live = self.read()
        current = self.goal.weight(live["spec"].get("http") or [])
        unfinished = BEFORE in _notes(live)
        if not unfinished and current >= steps[-1]:
            return current
        if self.check_mode:
            self._write(live, steps[-1], done=True)
            return steps[-1]
        # A run that was broken off may have left a weight that no gate has judged.
        due = [current] * (unfinished and current > 0) + [step for step in steps if step > current]
        for weight in due:
            self._step(weight, interval, ask)
        self._write(self.read(), steps[-1], done=True)
        return steps[-1]

    def roll_back(self) -> int:
        """Restore the route from before a canary that is under way; returns the weight then."""
        live = self.read()
        kept = _notes(live).get(BEFORE)
        if kept is None:
            return self.goal.weight(live["spec"].get("http") or [])
        before: Rules = json.loads(kept)
        self._put(live, before, None)
        return self.goal.weight(before)

    def _step(self, weight: int, interval: float, ask: Callable[[], Finding]) -> None:
        self._write(self.read(), weight, done=False)
        self._pause(weight, interval)
        finding = ask()
        self.progress(f"{self.name} at {weight} %: {finding.sentence}")
        if not finding.ok:
            restored = self.roll_back()
            raise GateFailed(
                f"{self.namespace}/{self.name} went back from {weight} % to {restored} %: {finding.sentence}.",
                code="no_data" if finding.value is None else "gate_failed",
                weight=weight,
                value=finding.value,
            )

    def _pause(self, weight: int, interval: float) -> None:
        end = time.monotonic() + interval
        while (left := end - time.monotonic()) > 0:
            self.progress(f"{self.name} at {weight} %: the gate is asked in {left:.0f} s")
            time.sleep(min(left, _TICK))

    def _write(self, live: Object, weight: int, *, done: bool) -> None:
        rules = live["spec"].get("http") or []
        kept = _notes(live).get(BEFORE) or json.dumps(rules, separators=(",", ":"))
        self._put(live, self.goal.with_weight(rules, weight), None if done else kept)

    def _put(self, live: Object, rules: Rules, kept: str | None) -> None:
        """Write the rules and the note in one patch, if they differ, and only over what was read."""
        metadata = live["metadata"]
        notes = {name: text for name, text in _notes(live).items() if name != BEFORE}
        if kept is not None:
            notes[BEFORE] = kept
        if rules == live["spec"].get("http") and notes == _notes(live):
            return
        after = {**live, "metadata": {**metadata, "annotations": notes}, "spec": {**live["spec"], "http": rules}}
        key: Key = key_of(live)
        self.changes.append(Change("update", key, live, after))
        if self.check_mode:
            return
        body: Object = {"metadata": {"annotations": {BEFORE: kept}}, "spec": {"http": rules}}
        if metadata.get("resourceVersion"):
            body["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        self.cluster.merge_patch(key.of, key.name, key.namespace, body, manager=MANAGER)


def _notes(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}
