# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restart workloads so that their pods get a new sidecar; wait for each, and limit how many restart at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ...kube.api.cluster import Access
from ...kube.objects.kinds import POD
from ...kube.objects.objects import Key
from ...kube.plan.change import Change
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
    """Workloads with missing or outdated sidecars: those to restart, those that already roll out, and those to report."""

    restarts: list[Workload]
    rolling_out: list[Workload]
    reported: list[Workload]


def due(workloads: Sequence[Workload], *, outdated: bool, missing: bool = True) -> Due:
    """Return the workloads to restart: with missing sidecars or those of another revision; with `outdated` all outdated.

    Without `missing`, workloads that lack a sidecar stay as they are.

    A proxy is outdated if a new pod would get another one. A workload is not restarted during a roll-out that replaces
    its sidecars: a restart would begin the roll-out again.
    """
    found = Due([], [], [])
    for one in workloads:
        if not ((missing and one.missing) or one.other_revision or (outdated and one.outdated)):
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
    """The restart of workloads as a unit; planning sets `due`, `pods` and `outside`.

    namespaces: the namespaces; None for all.
    outdated: restart workloads with outdated proxies too.
    max_unavailable: how many workloads restart at once.
    recreate_pods: delete and create pods without a controller.
    wait: wait for the new pods.
    missing: restart workloads that lack a sidecar.
    """

    namespaces: Sequence[str] | None
    outdated: bool
    max_unavailable: int
    recreate_pods: bool
    wait: bool
    missing: bool = True
    due: Due = field(default_factory=lambda: Due([], [], []))
    pods: list[Workload] = field(default_factory=list)
    outside: set[tuple[str, str]] = field(default_factory=set)

    def unit(self) -> Unit:
        """Return the unit."""
        return Unit(MANAGER, [], changes=self._changes, stages=self._stages, awaits=self._rolling_out)

    def refuse_forbidden(self, cluster: Cluster, plan: Plan, lock: Lock, *, check: bool) -> None:
        """Raise Refused for missing permissions that the plan does not need yet.

        These are permissions to watch roll-outs, and in check mode those for workloads of namespaces that have no label
        yet: a run labels the namespaces, and restarts their workloads then.
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
        restarts, rolling_out, reported = due(found.workloads, outdated=self.outdated, missing=self.missing)
        self.pods = [one for one in reported if one.kind == POD.kind and one.missing] if self.recreate_pods else []
        self.due = Due(restarts, [*rolling_out, *found.restarted], [one for one in reported if one not in self.pods])
        self.outside = found.outside
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield from (_restarted(_key(one), now) for one in restarts)
        yield from pods_without_controller.replacements(cluster, self.pods)

    def _stages(self, plan: Plan) -> Iterator[Stage]:
        pods = [change for change in plan.changes if change.recreated]
        workloads = [change for change in plan.changes if not change.recreated]
        if workloads:
            yield Stage(workloads, at_once=self.max_unavailable, verb="restarting")
        if pods:
            yield Stage(pods, at_once=1, verb="recreating")

    def _rolling_out(self) -> Iterable[Key]:
        return [_key(one) for one in self.due.rolling_out]

    def _needed(self, cluster: Cluster, name: str, namespace: str) -> Iterator[Access]:
        if name == POD.kind:
            yield from pods_without_controller.needed(cluster, namespace) if self.recreate_pods else ()
            return
        kind = RESTARTABLE[name]
        yield Access("patch", kind.group, cluster.plural(kind), namespace)
        yield from watching(cluster, kind, namespace) if self.wait else ()


def _restarted(key: Key, at: str) -> Change:
    """Plan the restart of a workload, at any version of it: controllers write its status while pods come and go."""
    named = {
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
    }
    patch = {**named, "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}}
    return Change("update", key, named, patch, patch, patch=True, awaited=True, digest_as="restart")


def _key(workload: Workload) -> Key:
    return Key("apps/v1", workload.kind, workload.namespace, workload.name)
