# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shift a route's weight to a new version in steps. The route from before stays in an annotation until the end."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ....kube.api.cluster import Cluster
from ....kube.errors import InvalidInput, MeshError, Refused
from ....kube.objects.objects import Object, key_of
from ....kube.plan.change import Change, patched
from ....kube.plan.foreign_owners import owner_of, refuse
from ....kube.plan.plan import Stage
from ....kube.plan.unit import Unit
from ....kube.progress import Progress
from ..shared.registry import VIRTUAL_SERVICE
from ..shared.unit import served_kind
from .gate import Finding

MANAGER = "meshops.istio/canary"
BEFORE = "meshops.istio/canary-before"
"""Annotation with the HTTP rules from before, as JSON, while a canary is under way."""

_GATE_WITHIN = 600.0
"""Seconds that a gate may take with all its requests."""

Rules = list[dict[str, Any]]


class GateFailed(MeshError):
    """The gate failed or had no data; the route is restored."""

    code = "gate_failed"


@dataclass(frozen=True)
class Goal:
    """The destination that takes over: a subset, a host, or a subset of a host."""

    subset: str = ""
    host: str = ""

    def is_at(self, target: dict[str, Any]) -> bool:
        """Return whether this weighted destination is the one."""
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
class Step:
    """A weight of a canary, in percent, and what the gate has measured there: a value and a sentence, if it was asked."""

    weight: int
    value: float | None = None
    finding: str = ""


@dataclass
class Canary:
    """The shift of a VirtualService's weights as a unit; a plan sets `weight`, that at its end, and its steps `taken`.

    steps: weights in percent, rising; None goes back to the route from before a canary that is under way.
    interval: seconds at each weight before the gate is asked.
    """

    name: str
    namespace: str
    goal: Goal
    ask: Callable[[], Finding]
    progress: Progress
    steps: Sequence[int] | None = None
    interval: float = 0.0
    force: bool = False
    weight: int = 0
    taken: list[Step] = field(default_factory=list)
    _stages: list[Stage] = field(default_factory=list)

    def unit(self) -> Unit:
        """Return the unit."""
        return Unit(MANAGER, [], changes=self._changes, stages=lambda _plan: self._stages)

    @property
    def longest(self) -> float:
        """The seconds that all steps take at most."""
        return len(self.steps or ()) * (self.interval + _GATE_WITHIN)

    def _read(self, cluster: Cluster) -> Object:
        found = cluster.get(served_kind(cluster, VIRTUAL_SERVICE), self.name, self.namespace)
        if found is None:
            raise Refused(
                f"VirtualService {self.namespace}/{self.name} was not found. Create it with traffic_route.",
                code="route_missing",
            )
        owner = owner_of(found, MANAGER)
        if owner is not None and not self.force:
            refuse(key_of(found), owner)
        return found

    def _changes(self, cluster: Cluster) -> list[Change]:
        live = self._read(cluster)
        self.taken = []
        self._stages = list(self._roll_back(live) if self.steps is None else self._shift(live, self.steps))
        return [change for stage in self._stages for change in stage.changes]

    def _roll_back(self, live: Object) -> Iterator[Stage]:
        saved = _notes(live).get(BEFORE)
        rules: Rules = json.loads(saved) if saved else live["spec"].get("http") or []
        self.weight = self.goal.weight(rules)
        if saved:
            yield Stage(_to(live, rules, None, f"roll back to {self.weight} %"))

    def _shift(self, live: Object, steps: Sequence[int]) -> Iterator[Stage]:
        rules: Rules = live["spec"].get("http") or []
        saved = _notes(live).get(BEFORE)
        current = self.weight = self.goal.weight(rules)
        if saved is None and current >= steps[-1]:
            return
        before = saved or json.dumps(rules, separators=(",", ":"))
        route = live
        # A run that was interrupted may have left a weight that no gate has judged.
        weights = [current] * (saved is not None and current > 0) + [step for step in steps if step > current]
        self.taken = [Step(weight) for weight in weights]
        for number, step in enumerate(self.taken, start=1):
            weight = step.weight
            note = f"step {number} of {len(weights)}, {weight} %, gate after {self.interval:g} s"
            changes = _to(route, self.goal.with_weight(rules, weight), before, note)
            route = changes[-1].after or route if changes else route
            yield Stage(
                changes,
                pause=self.interval,
                reason=f"asking the gate of {self.namespace}/{self.name} at {weight} %",
                gate=partial(self._judge, step, self.goal.weight(json.loads(before))),
                restore=_to(route, json.loads(before), None, "roll back"),
            )
        self.weight = steps[-1]
        yield Stage(_to(route, self.goal.with_weight(rules, self.weight), None, f"finished at {self.weight} %"))

    def _judge(self, step: Step, restored: int) -> None:
        finding, weight = self.ask(), step.weight
        step.value, step.finding = finding.value, finding.sentence
        self.progress(f"{self.namespace}/{self.name} at {weight} %: {finding.sentence}")
        if not finding.ok:
            raise GateFailed(
                f"{self.namespace}/{self.name} went back from {weight} % to {restored} %: {finding.sentence}.",
                code="no_data" if finding.value is None else "gate_failed",
                weight=weight,
                value=finding.value,
            )


def _to(live: Object, rules: Rules, saved: str | None, note: str) -> list[Change]:
    """Plan the rules of a route, and the annotation with those from before; no change where nothing differs."""
    change = patched(live, {"metadata": {"annotations": {BEFORE: saved}}, "spec": {"http": rules}}, note=note)
    return [change] if change else []


def _notes(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}
