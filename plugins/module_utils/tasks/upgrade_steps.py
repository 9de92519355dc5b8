# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upgrade from one control plane to another, step by step, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..istio.control_plane import installed_objects, tag_objects
from ..istio.injection.restart import due
from ..istio.model.gateway_workloads import name_of
from ..istio.model.labels import REVISION
from ..istio.traffic.canary import gate as measured
from ..istio.upgrade import gate
from ..istio.upgrade.checks import Finding, refuse
from ..istio.upgrade.record import Plane, Record
from ..istio.upgrade.state import (
    STEPS,
    Mesh,
    choose,
    final_labels,
    next_step,
    nothing_left,
    plain,
    remaining,
    unrestored,
)
from ..istio.upgrade.waves import refuse_unknown, waves
from ..kube.errors import MeshError, Refused
from ..kube.plan.permissions import refuse_denied
from ..task import Result, Task
from .upgrade_check import checked, wanted_plane
from .upgrade_moves import Moves

_PAUSE = 5.0


class Upgrade:
    """An upgrade to the control plane of the options; what is left to do is read anew before each step."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._cluster = task.cluster
        self._moves = Moves(task)
        self._gates = task.params["prometheus"], task.params["answers"]
        if any(self._gates):
            measured.check(*self._gates)
            refuse_denied(self._cluster, measured.asking(self._gates[0]))
        self._waves: list[Result] = []
        self._findings: list[Finding] = []

    def run(self) -> Result:
        """Carry out the chosen steps, as far as the ones before are complete."""
        parameters = self._task.params
        wanted = wanted_plane(parameters)
        mesh = self._read()
        record = choose(mesh, wanted, parameters["from_revision"] or "", downgrade=parameters["allow_downgrade"])
        if record is None:
            return self._result(None, nothing_left())
        self._refuse(record, mesh)
        moves: dict[str, Callable[[Record, Mesh], Any]] = {
            "control_plane": self._control_plane,
            "namespaces": self._namespaces,
            "gateways": self._gateways,
            "tags": self._tags,
            "cleanup": self._cleanup,
        }
        for step in STEPS:
            mesh = self._read()
            left = self._left(mesh, record)
            complete = not any(left.values())
            if complete or step not in parameters["steps"] or any(left[one] for one in STEPS[: STEPS.index(step)]):
                continue
            # The control plane is always reconciled, because a run may have been killed after istiod was ready.
            if left[step] or step == "control_plane":
                moves[step](record, mesh)
            if self._task.check_mode:
                break
            record = self._read().record or record
        return self._result(record, self._left(self._read(), record))

    def _refuse(self, record: Record, mesh: Mesh) -> None:
        """Raise MeshError, before the first write, where the upgrade cannot work; set the findings of a new one."""
        parameters = self._task.params
        refuse_unknown(parameters["namespaces"] or (), record.namespaces)
        self._waves_of(self._there(record, mesh))
        if mesh.record is None or mesh.record.new != record.new:
            self._findings = checked(self._task, mesh, record)
            if parameters["steps"]:
                refuse(self._findings)
                self._moves.refuse(record.new)
        moves = "namespaces" in parameters["steps"] and not self._task.check_mode
        if any(self._gates) and moves and self._left(mesh, record)["namespaces"]:
            finding = measured.ask(self._cluster, *self._gates)
            if not finding.ok:
                raise Refused(
                    f"Cannot upgrade to {record.new}: the gate fails before the first namespace is moved,"
                    f" {finding.sentence}. Correct the gate, or remove the cause.",
                    code="gate_failed",
                )

    def roll_back(self) -> Result:
        """Bring everything back to the old control plane, and remove the new one."""
        mesh = self._read()
        record = mesh.record
        if record is None:
            raise Refused(
                "Cannot roll back: no upgrade found in the cluster. Run an upgrade first.", code="nothing_to_roll_back"
            )
        old, new = record.old, record.new
        self._moves.install(old, gateways=bool(mesh.gateways_of(old.revision)), moves_from=new.revision)
        if self._task.check_mode:
            return self._result(record, self._left(mesh, record))
        for tag in record.tags:
            if mesh.tags.get(tag) == new.revision:
                self._moves.point(tag, old)
        back = Record(new, old, record.tags, record.namespaces)
        self._restore(back)
        for wave in reversed(self._waves_of(self._there(record, self._read()))):
            self._moves.restart(wave)
            self._pass(old, wave)
            self._waves.append({"namespaces": wave, "state": "rolled_back", "finding": ""})
        self._stragglers(old)
        mesh = self._read()
        if mesh.gateways_of(new.revision):
            self._moves.install(old, gateways=True, moves_from=new.revision)
            self._pass(old, _places(self._read(), old))
        if self._installed(new):
            self._moves.remove(new)
        self._moves.forget()
        return self._result(back, nothing_left())

    def _control_plane(self, record: Record, mesh: Mesh) -> None:
        if record != mesh.record:
            self._moves.remember(record)
        has = bool(mesh.gateways_of(record.new.revision))
        self._moves.install(record.new, gateways=has, moves_from=record.old.revision)

    def _namespaces(self, record: Record, mesh: Mesh) -> None:
        if record != mesh.record:
            self._moves.remember(record)
        chosen = self._task.params["namespaces"]
        planned = self._waves_of(self._there(record, mesh))
        for number, wave in enumerate(planned, 1):
            left = self._left(self._read(), record)["namespaces"]
            names = [name for name in wave if name in left and (chosen is None or name in chosen)]
            if names:
                self._task.progress(f"wave {number} of {len(planned)}: {', '.join(names)}")
                self._wave(record, names)

    def _wave(self, record: Record, names: Sequence[str]) -> None:
        """Move the namespaces of a wave; move them back if one of them does not pass."""
        try:
            self._moves.label(names, {REVISION: record.new.revision})
            self._moves.restart(names)
            finding = self._pass(record.new, names)
        except MeshError as error:
            self._back(record, names, error)
            raise
        self._waves.append({"namespaces": list(names), "state": "moved", "finding": finding})

    def _back(self, record: Record, names: Sequence[str], cause: MeshError) -> None:
        where = f"Namespace{'s' if len(names) > 1 else ''} {', '.join(names)}"
        self._task.progress(f"rolling back {where}: {cause.message}")
        try:
            for name in names:
                self._moves.label([name], record.namespaces[name])
            self._moves.restart(names)
            after = gate.failure(
                self._cluster, record.old, names, patience=self._patience, progress=self._task.progress
            )
        except MeshError as error:
            after = error.message
        done = f"was not rolled back completely ({after.rstrip('.')})" if after else "was rolled back"
        raise MeshError(
            f"Cannot upgrade {where} to {record.new}: {cause.message.rstrip('.')}. The wave {done}; namespaces that were"
            " moved before stay. Remove the cause and run the upgrade again, or roll it back.",
            code="gate_failed",
            namespaces=list(names),
            cause=cause.message,
            rolled_back=not after,
        ) from cause

    def _gateways(self, record: Record, _mesh: Mesh) -> None:
        old, new = record.old, record.new
        try:
            self._moves.install(new, gateways=True, moves_from=old.revision)
            mesh = self._read()
            left = self._left(mesh, record)["gateways"]
            if left:
                raise Refused(
                    f"Gateway {left[0]} stays with revision {old.revision}: the configuration of {new} does not have it."
                    " Add it to the configuration, or delete it.",
                    code="gateway_left",
                    gateways=left,
                )
            self._pass(new, _places(mesh, new))
        except MeshError as cause:
            if self._read().gateways_of(new.revision):
                self._moves.install(old, gateways=True, moves_from=new.revision)
                raise MeshError(
                    f"Cannot upgrade the gateways to {new}: {cause.message.rstrip('.')}. They were rolled back to {old}."
                    " Remove the cause and run the upgrade again.",
                    code="gate_failed",
                    cause=cause.message,
                    rolled_back=True,
                ) from cause
            raise

    def _tags(self, record: Record, mesh: Mesh) -> None:
        for tag in record.tags:
            if mesh.tags.get(tag) != record.new.revision:
                self._moves.point(tag, record.new)
        self._restore(record)
        self._stragglers(record.new)
        if not record.moved:
            self._moves.remember(replace(record, moved=self._now.isoformat(timespec="seconds")))

    def _restore(self, record: Record) -> None:
        """Give the namespaces the labels with which they stay."""
        mesh = self._read()
        for name in unrestored(mesh, record):
            self._moves.label([name], final_labels(record.namespaces[name], record))

    def _stragglers(self, plane: Plane) -> None:
        """Restart the workloads outside of the waves that a tag has moved, such as by a label of their pods."""
        state = self._read().sidecars()
        found = due(state.workloads, outdated=False, missing=False)
        names = sorted({one.namespace for one in [*found.restarts, *found.rolling_out] if one.other_revision})
        if names:
            self._moves.restart(names)
            self._pass(plane, names)

    def _cleanup(self, record: Record, mesh: Mesh) -> None:
        places = [name for name in record.namespaces if name in mesh.namespaces]
        self._pass(record.new, [*places, *_places(mesh, record.new)])
        passed = (self._now - (_time(record.moved) or self._now)).total_seconds()
        until = time.monotonic() + self._task.params["grace_period"] - max(0, passed)
        while (left := until - time.monotonic()) > 0:
            self._task.progress(f"removing {record.old} in {left:.0f} s")
            time.sleep(min(left, _PAUSE))
        self._moves.remove(record.old)

    def _pass(self, plane: Plane, namespaces: Sequence[str]) -> str:
        """Return what the gates measured. Raises Refused where they do not pass."""
        found = gate.failure(self._cluster, plane, namespaces, patience=self._patience, progress=self._task.progress)
        if found:
            raise Refused(f"The gate failed: {found}.", code="gate_failed")
        if not any(self._gates):
            return ""
        time.sleep(self._task.params["interval"])
        finding = measured.ask(self._cluster, *self._gates)
        if not finding.ok:
            raise Refused(f"The gate failed: {finding.sentence}.", code="gate_failed")
        return finding.sentence

    @property
    def _now(self) -> datetime:
        """The time of the API server, which another machine may go on with."""
        return self._cluster.now or datetime.now(UTC)

    @property
    def _patience(self) -> float:
        return float(min(60, self._task.time_limit))

    @staticmethod
    def _there(record: Record, mesh: Mesh) -> dict[str, Any]:
        """Return the namespaces of an upgrade that still exist."""
        return {name: one for name, one in mesh.namespaces.items() if name in record.namespaces}

    def _waves_of(self, namespaces: dict[str, Any]) -> list[list[str]]:
        parameters = self._task.params
        return waves(
            namespaces, parameters["waves"], size=parameters["wave_size"], label=parameters["wave_label"] or ""
        )

    def _read(self) -> Mesh:
        return Mesh.read(self._cluster, self._moves.namespace)

    def _left(self, mesh: Mesh, record: Record) -> dict[str, list[str]]:
        return remaining(mesh, record, self._installed(record.old))

    def _installed(self, plane: Plane) -> list[Any]:
        revision = "" if plane.revision == tag_objects.DEFAULT else plane.revision
        return installed_objects.of_revision(self._cluster, revision, self._moves.namespace)

    def _result(self, record: Record | None, left: dict[str, list[str]]) -> Result:
        return {
            "changed": bool(self._moves.changes) or (self._task.check_mode and bool(next_step(left))),
            "changes": self._moves.changes,
            "upgrade": plain(record) if record else {},
            "next": next_step(left),
            "remaining": left,
            "waves": self._waves,
            "findings": self._findings,
        }


def _places(mesh: Mesh, plane: Plane) -> list[str]:
    """Return the namespaces of a control plane's gateways."""
    return sorted({name_of(one)[0] for one in mesh.gateways_of(plane.revision)})


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
