# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make upgrade`: a mesh is upgraded and rolled back on a real node, while a client sends requests all the time.

ONLY=text runs the moves whose name has it, each after the moves that it needs. Prints a table; exits with 1 unless no
request is lost, all proxies are of the expected version, a second run writes nothing and nothing of the other revision is
left.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.state import Mesh as State

from lab import node
from lab.errors import LabError
from lab.paths import Lab

from .client import Client
from .mesh import NAMESPACES, OUT, PATH, Mesh, MoveFailed

OLDEST, MIDDLE, NEWEST = "1.29.1", "1.30.4", "1.31.0"
KUBERNETES = "1.35.4"
COLUMNS = {"move": 44, "minutes": 9, "sent": 8, "lost": 6, "proxies": 22, "second run": 12, "left": 6}
_PATIENCE = 120.0
_QUIET = 5.0


def revision(version: str) -> str:
    """The revision that an upgrade gives a version."""
    return version.replace(".", "-")


@dataclass(frozen=True)
class Move:
    """A move: from what to what, and how.

    gone: the revision that is left. again: what writes nothing afterwards. prepare: comes before the client.
    """

    name: str
    run: Callable[[Mesh], Any]
    version: str
    revision: str
    gone: str = ""
    again: Callable[[Mesh], Any] | None = None
    prepare: Callable[[Mesh], Any] = lambda _mesh: None


@dataclass
class Row:
    """What a move has shown."""

    name: str
    minutes: float = 0.0
    sent: int = 0
    lost: list[str] = field(default_factory=list)
    proxies: Mapping[str, int] = field(default_factory=dict)
    writes: int | None = None
    left: int | None = None
    failure: str = ""

    def line(self) -> str:
        """The row of the table."""
        proxies = ", ".join(f"{count} x {name.split()[0]}" for name, count in sorted(self.proxies.items()))
        writes, left = ("-" if one is None else f"{one}" for one in (self.writes, self.left))
        shown = [self.name, f"{self.minutes:.1f}", str(self.sent), str(len(self.lost)), proxies, writes, left]
        return "".join(f"{text:<{width}}" for text, width in zip(shown, COLUMNS.values(), strict=True)).rstrip()


def labelled(name: str, version: str) -> Callable[[State], bool]:
    """Whether a namespace is being moved to a version."""
    return lambda state: (
        (state.namespaces[name]["metadata"].get("labels") or {}).get("istio.io/rev") == revision(version)
    )


def points(version: str) -> dict[str, Callable[[State], bool]]:
    """The named points of an upgrade to a version at which a run is killed, in their order."""
    new = revision(version)
    return {
        "record written": lambda state: state.record is not None and state.record.new.revision == new,
        "istiod created": lambda state: state.plane(new) is not None,
        "wave 1 begun": labelled(NAMESPACES[0], version),
        "wave 1 restarted": lambda state: state.proxies(NAMESPACES[0]).get(new, 0) > 0,
        "wave 2 begun": labelled(NAMESPACES[1], version),
        "wave 2 restarted": lambda state: state.proxies(NAMESPACES[1]).get(new, 0) > 0,
        "gateway begun": lambda state: bool(state.gateways_of(new)),
        "tag moved": lambda state: state.tags.get("default") == new,
        "proxies have left": lambda state: bool(state.record and state.record.moved),
        "old one going": lambda state: len(state.planes) == 1 and state.planes[0]["revision"] == new,
    }


def kill_each(mesh: Mesh) -> None:
    """Upgrade, killed at each point in turn; the last run completes it."""
    for name, when in points(NEWEST).items():
        print(f"upgrade: killed: {name}", file=sys.stderr, flush=True)
        mesh.killed(NEWEST, when)
    mesh.upgrade(NEWEST)


def back_from(point: str) -> Callable[[Mesh], None]:
    """Upgrade until it is killed at a point, and roll back."""

    def run(mesh: Mesh) -> None:
        mesh.killed(NEWEST, points(NEWEST)[point])
        mesh.upgrade(NEWEST, upgrade_state="rolled_back")

    return run


def refused_by_the_gate(mesh: Mesh) -> None:
    """Upgrade with a workload that fails in wave 2: the wave goes back, the first one stays; then all goes back."""
    gate = {"url": f"http://{mesh.address}/api/v1/products/0", "count": 20, "min_success": 90}
    try:
        mesh.upgrade(MIDDLE, upgrade_answers=gate, upgrade_interval=2)
    except MoveFailed as error:
        stood = mesh.state()
        there = [stood.proxies(name).keys() for name in NAMESPACES]
        if "requests succeeded" not in str(error) or there != [{revision(MIDDLE)}, {"default"}]:
            raise MoveFailed(f"the gate left {there}: {error}") from error
    else:
        raise MoveFailed("the gate did not fail")
    mesh.upgrade(MIDDLE, upgrade_state="rolled_back")
    mesh.remove_faulty()


def moves() -> list[Move]:
    """The moves in their order: each begins where the one before ended."""
    middle, newest = revision(MIDDLE), revision(NEWEST)

    def upgrade(version: str) -> Callable[[Mesh], None]:
        return lambda mesh: mesh.upgrade(version)

    def in_place(mesh: Mesh) -> None:
        mesh.install(MIDDLE, mesh_restart_outdated=True)

    return [
        Move(
            f"a gate refuses wave 2 of {OLDEST} to {MIDDLE}",
            refused_by_the_gate,
            OLDEST,
            "default",
            middle,
            prepare=Mesh.add_faulty,
        ),
        Move(f"canary {OLDEST} to {MIDDLE}", upgrade(MIDDLE), MIDDLE, middle, "default", upgrade(MIDDLE)),
        Move(f"canary {MIDDLE} to {NEWEST}", upgrade(NEWEST), NEWEST, newest, middle, upgrade(NEWEST)),
        Move(
            f"back after the end, to {MIDDLE}",
            lambda mesh: mesh.upgrade(NEWEST, upgrade_state="rolled_back"),
            MIDDLE,
            middle,
            newest,
        ),
        Move("back from the middle of wave 2", back_from("wave 2 restarted"), MIDDLE, middle, newest),
        Move("back from the middle of the gateways", back_from("gateway begun"), MIDDLE, middle, newest),
        Move(
            f"killed at {len(points(NEWEST))} points, to {NEWEST}", kill_each, NEWEST, newest, middle, upgrade(NEWEST)
        ),
        Move(f"in place {OLDEST} to {MIDDLE}", in_place, MIDDLE, "default", "", in_place),
    ]


def carried_out(mesh: Mesh, move: Move) -> Row:
    """Carry out a move while the client sends requests."""
    row = Row(move.name)
    try:
        move.prepare(mesh)
        quiet(mesh)
    except MoveFailed as error:
        row.failure = str(error)
        return row
    begun = time.monotonic()
    with Client(mesh.address, PATH) as client:
        try:
            move.run(mesh)
            row.minutes = (time.monotonic() - begun) / 60
            row.proxies = mesh.proxies()
            row.left = mesh.objects_of(move.gone) if move.gone else None
            if move.again is not None:
                again = move.again
                row.writes = mesh.writes_of(lambda: again(mesh))
        except MoveFailed as error:
            row.failure = str(error)
    row.sent, row.lost = client.sent, client.lost
    if row.lost:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / f"lost-{move.name.replace(' ', '-')}.log").write_text("\n".join(row.lost), encoding="utf-8")
    wanted = f"{move.version} {move.revision}"
    problems = [row.failure] if row.failure else []
    problems += [f"{len(row.lost)} requests lost, first {row.lost[0]}"] if row.lost else []
    if not row.failure:
        problems += [f"proxies {dict(row.proxies)}, not {wanted}"] if set(row.proxies) != {wanted} else []
        problems += [f"{row.left} objects of {move.gone} left"] if row.left else []
        problems += [f"{row.writes} writes of a second run"] if row.writes else []
        labels = mesh.labels()
        problems += (
            [f"labels {labels}"] if any(own != {"istio-injection": "enabled"} for own in labels.values()) else []
        )
    row.failure = "; ".join(problems)
    return row


def quiet(mesh: Mesh) -> None:
    """Wait until a client loses nothing, before anything moves. Raises MoveFailed if it still does."""
    until = time.monotonic() + _PATIENCE
    while True:
        with Client(mesh.address, PATH) as client:
            time.sleep(_QUIET)
        if not client.lost:
            return
        if time.monotonic() > until:
            raise MoveFailed(f"requests are lost before the move: {client.lost[0]}")


def begin(mesh: Mesh) -> None:
    """Install the oldest release on the empty cluster, until the client is answered."""
    mesh.install(OLDEST)
    until = time.monotonic() + _PATIENCE
    client = Client(mesh.address, PATH)
    while why := client.ask():
        if time.monotonic() > until:
            raise MoveFailed(f"the mesh does not answer: {why}")
        time.sleep(1)


def main() -> int:
    """Make the moves; returns the command's exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    lab, only = Lab(os.environ.get("LAB") or "upgrade"), os.environ.get("ONLY", "")
    rows: list[Row] = []
    try:
        node.down(lab)  # a run that was killed may have left it
        node.up(lab, {}, istio=",".join((OLDEST, MIDDLE, NEWEST)), kubernetes=KUBERNETES)
        with tempfile.TemporaryDirectory() as folder:
            mesh = Mesh(lab, Path(folder))
            begin(mesh)
            for move in moves():
                if only and only not in move.name:
                    continue
                if move.name.startswith("in place") and rows:
                    mesh.uninstall(NEWEST)
                    begin(mesh)
                rows.append(carried_out(mesh, move))
                print(f"upgrade: {rows[-1].line()} {rows[-1].failure}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("upgrade: interrupted", file=sys.stderr)
        return 130
    except (LabError, MoveFailed) as error:
        print(f"upgrade: {error}", file=sys.stderr)
        return 1
    finally:
        if not os.environ.get("KEEP"):
            node.down(lab)
        if rows:
            print("".join(f"{name:<{width}}" for name, width in COLUMNS.items()).rstrip())
            print(
                "\n".join(
                    [*(row.line() for row in rows), *(f"{row.name}: {row.failure}" for row in rows if row.failure)]
                )
            )
    return 1 if not rows or any(row.failure for row in rows) else 0


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
