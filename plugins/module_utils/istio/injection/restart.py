# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart workloads so that their pods get a new sidecar, a few at a time, each awaited before the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ...kube.api.cluster import Access
from ...kube.objects.kinds import POD
from ...kube.objects.objects import Key
from ...kube.plan.change import Change, patched
from ...kube.plan.permissions import refuse_denied, watching
from ...kube.plan.plan import Plan, Stage
from ...kube.plan.unit import Unit
from ...kube.wait.rollouts import RESTARTED_AT
from . import pods_without_controller
from .sidecars import MANAGER, RESTARTABLE, Workload, read_state

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.apply.lock import Lock


class Due(NamedTuple):
    """Workloads with pods that need other sidecars: to restart, rolling out already, and to report only."""

    restarts: list[Workload]
    rolling_out: list[Workload]
    reported: list[Workload]


def due(workloads: Sequence[Workload], *, outdated: bool) -> Due:
    """Sort workloads by what is to be done with them.

    Pods without a sidecar count always; with `outdated` also those whose proxy is not the one that they would get now.
    Those with a roll-out under way that brings the sidecars are not restarted again: that would begin it anew.
    """
    found = Due([], [], [])
    for one in workloads:
        if not (one.missing or (outdated and one.outdated)):
            continue
        if not one.restartable:
            found.reported.append(one)
        elif one.rolls_out(outdated=outdated):
            found.rolling_out.append(one)
        else:
            found.restarts.append(one)
    return found


@dataclass
class Restart:
    """The restart of the workloads of some namespaces as a unit; after a plan it knows what it found.

    namespaces: None for all. outdated: also where a proxy is not the one that a new pod would get. max_unavailable: how
    many workloads at once. recreate_pods: delete and create pods without a controller. wait: for new pods.
    """

    namespaces: Sequence[str] | None
    outdated: bool
    max_unavailable: int
    recreate_pods: bool
    wait: bool
    due: Due = field(default_factory=lambda: Due([], [], []))
    pods: list[Workload] = field(default_factory=list)
    outside: set[tuple[str, str]] = field(default_factory=set)

    def unit(self) -> Unit:
        """Return the unit."""
        return Unit(MANAGER, [], changes=self._changes, stages=self._stages, awaits=self._rolling_out)

    def refuse_forbidden(self, cluster: Cluster, plan: Plan, lock: Lock, *, check: bool) -> None:
        """Raise Refused for what the plan does not show: waiting for roll-outs, and in check mode later restarts.

        A run in check mode may come before the one that labels the namespaces: their workloads would be restarted then.
        """
        checks: list[Access] = []
        for key in () if plan.changes or not self.wait else self._rolling_out():
            checks += watching(cluster, key.of, key.namespace)
        if check and self.outside:
            checks += lock.access
            for name, namespace in sorted(self.outside):
                checks += self._needed(cluster, name, namespace)
        refuse_denied(cluster, checks)

    def _changes(self, cluster: Cluster) -> Iterator[Change]:
        found = read_state(cluster, self.namespaces)
        restarts, rolling_out, reported = due(found.workloads, outdated=self.outdated)
        self.pods = [one for one in reported if one.kind == POD.kind and one.missing] if self.recreate_pods else []
        self.due = Due(restarts, [*rolling_out, *found.restarted], [one for one in reported if one not in self.pods])
        self.outside = found.outside
        now = {RESTARTED_AT: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        patch = {"spec": {"template": {"metadata": {"annotations": now}}}}
        for one in restarts:
            key = _key(one)
            live = {
                "apiVersion": key.api_version,
                "kind": key.kind,
                "metadata": {"name": key.name, "namespace": key.namespace},
            }
            change = patched(live, patch, awaited=True, digest_as="restart")
            yield from [change] if change else ()
        yield from pods_without_controller.replacements(cluster, self.pods)

    def _stages(self, plan: Plan) -> Iterator[Stage]:
        pods = [change for change in plan.changes if change.recreated]
        workloads = [change for change in plan.changes if not change.recreated]
        if workloads:
            yield Stage(workloads, at_once=self.max_unavailable, verb="restarting")
        if pods:
            yield Stage(pods, at_once=1, verb="creating again")

    def _rolling_out(self) -> Iterable[Key]:
        return [_key(one) for one in self.due.rolling_out]

    def _needed(self, cluster: Cluster, name: str, namespace: str) -> Iterator[Access]:
        if name == POD.kind:
            yield from pods_without_controller.needed(cluster, namespace) if self.recreate_pods else ()
            return
        kind = RESTARTABLE[name]
        yield Access("patch", kind.group, cluster.plural(kind), namespace)
        yield from watching(cluster, kind, namespace) if self.wait else ()


def _key(workload: Workload) -> Key:
    return Key("apps/v1", workload.kind, workload.namespace, workload.name)
