# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench`: the collection against istioctl, kubectl, kubernetes.core and Helm, each pair in turn in one run.

ROWS=name,... measures some rows, SHORT=1 most of them with small numbers on a simulated lab. Exits with 0 where all could
be measured, whatever came of it: the table says which goals are met.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError

from lab import node
from lab.errors import LabError
from lab.paths import CHECKOUT, Lab

from . import plot, results
from .failure import BenchmarkError
from .progress import say
from .results import Result
from .rows import cold, injection, many, memory, quickstart, site, warm
from .stage import Stage

Row = Callable[[Stage], list[Result]]

ROWS: Mapping[str, Row] = {
    "install": cold.install,
    "apply": cold.apply,
    "helm": cold.helm,
    "memory": memory.memory,
    "requests": warm.requests,
    "site": site.site,
    "again": warm.again,
    "playbook": warm.playbook,
    "repair": warm.repair,
    "check": warm.check,
    "objects": many.objects,
    "injection": injection.injection,
    "quickstart": quickstart.quickstart,
}
ON_DEMAND = frozenset({"quickstart"})
"""Only if it is named: it builds for ten minutes."""
ONLY_LONG = frozenset({"helm", "injection", "playbook", "site"})
"""Not of the short form: they take long, or need an istiod that is more than played."""
PLAYED_NODES = 3
OUT = CHECKOUT / "build" / "bench"


def chosen(environment: Mapping[str, str]) -> dict[str, Row]:
    """What the command's variables ask for; raises BenchmarkError for a row that there is not."""
    names = [name for name in environment.get("ROWS", "").replace(",", " ").split() if name]
    if unknown := [name for name in names if name not in ROWS]:
        raise BenchmarkError(f"ROWS={','.join(unknown)}: the rows are {', '.join(ROWS)}.")
    left_out = ON_DEMAND | ONLY_LONG if environment.get("SHORT") else ON_DEMAND
    return {name: row for name, row in ROWS.items() if (name in names if names else name not in left_out)}


@contextlib.contextmanager
def lab_for(name: str, *, short: bool) -> Iterator[Lab]:
    """The lab; one that is not up is started, and goes in the end."""
    lab = Lab(name)
    if lab.kubeconfig.exists():
        yield lab
        return
    try:
        node.up(lab, {}, simulated=short, played=0 if short else PLAYED_NODES)
        yield lab
    finally:
        node.down(lab)


def measure(rows: Mapping[str, Row], stage: Stage, found: list[Result]) -> list[str]:
    """Measure row after row into `found`; the names of those that could not be measured, which is said."""
    failed = []
    for name, row in rows.items():
        begun = time.monotonic()
        say(name)
        try:
            found += row(stage)
        except (BenchmarkError, MeshError) as error:
            failed.append(name)
            say(f"{name} could not be measured: {error}")
        else:
            say(f"{name}: measured in {time.monotonic() - begun:.0f} s")
    return failed


def main() -> int:
    """Measure; returns the command's exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    short = bool(os.environ.get("SHORT"))
    found: list[Result] = []
    try:
        rows = chosen(os.environ)
        with lab_for(os.environ.get("LAB") or "bench", short=short) as lab, tempfile.TemporaryDirectory() as folder:
            failed = measure(rows, Stage(lab, Path(folder), short), found)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except (BenchmarkError, LabError) as error:
        say(str(error))
        return 1
    finally:
        report(found, short=short)
    return 1 if failed else 0


def report(found: Sequence[Result], *, short: bool) -> None:
    """Print the table, and write it as data and as a picture."""
    if not found:
        return
    results.write(found, OUT / "results.json")
    plot.draw(found, OUT / "results.svg")
    if short:
        print("The short form: a simulated lab, small numbers. It shows that all can be measured, not how fast it is.")
    print(results.table(found))
    print(f"{sum(result.met for result in found)} of {len(found)} goals met; also in {OUT.relative_to(CHECKOUT)}.")


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
