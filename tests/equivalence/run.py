# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make equivalence`: whether the collection leaves in a cluster what `istioctl install` leaves there.

INPUT names an IstioOperator file to compare alone; SHORT=1 compares a few inputs of each sort; RELEASES=1.30.4,1.31.0
compares with the istioctl of each of these releases, KUBERNETES=1.36.3 on that version, LAB=name on labs of that name.
Exits with 1 unless all are equal.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release

from lab.errors import LabError
from lab.selection import select

from . import cases, labs
from .cases import Input, Move
from .compare import Difference, differences, text_of
from .expected import Expected, explained
from .sides import Ours, Result, Side, Theirs

_SHOWN = 8  # differences of one input; the rest is counted
_LINES = 30  # of one difference


@dataclass
class Verdict:
    """Whether both did the same: in a few words, with what is wrong and what is meant to be different."""

    words: str
    wrong: list[str] = field(default_factory=list)
    meant: dict[str, list[Difference]] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        return not self.wrong


def judge(theirs: Result, ours: Result, *, move: bool = False, refused: bool | None = False) -> Verdict:
    """Compare two results; `refused` says whether istioctl is known to refuse the input, None that it may."""
    if theirs.refused or ours.refused:
        return _judge_refusals(theirs, ours, refused)
    verdict = Verdict(f"{len(ours.objects)} objects")
    if refused:
        verdict.wrong.append("istioctl was to refuse it, and does not")
    for found in differences(theirs.objects, ours.objects):
        reason: Expected | None = explained(found, theirs.objects, move=move)
        if reason:
            verdict.meant.setdefault(f"{reason.name}: {reason.reason}", []).append(found)
        else:
            verdict.wrong.append(text_of(found))
    verdict.wrong += [f"{one['kind']} {one['name']}: {one['action']} once more" for one in ours.again]
    verdict.wrong += [f"{name}: its pods are restarted by the take-over" for name in ours.restarted]
    return verdict


def _judge_refusals(theirs: Result, ours: Result, refused: bool | None) -> Verdict:
    if theirs.refused and ours.refused and refused is not False:
        return Verdict(f"refused by both: {_first_line(ours.refused)}")
    said = [
        f"{who}: {_last_line(result.refused) if result.refused else f'installs {len(result.objects)} objects'}"
        for who, result in (("istioctl", theirs), ("ours", ours))
    ]
    return Verdict("refused", said)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


class Comparison:
    """Both sides at work at once; what istioctl leaves for an input is read once."""

    def __init__(self, theirs: Side, ours: Side, pool: ThreadPoolExecutor) -> None:
        self._theirs, self._ours, self._pool = theirs, ours, pool
        self._known: dict[str, Result] = {}

    def of_input(self, one: Input) -> Verdict:
        """One input, on empty clusters."""
        return judge(*self._results(one, [one]), refused=one.refused)

    def of_move(self, move: Move) -> Verdict:
        """What our second install leaves over a first, against what istioctl leaves of the second alone."""
        return judge(*self._results(move.after, [move.before, move.after]), move=True)

    def _results(self, theirs: Input, ours: Sequence[Input]) -> tuple[Result, Result]:
        pending = self._pool.submit(self._ours.result_of, ours)
        if theirs.name not in self._known:
            self._known[theirs.name] = self._theirs.result_of([theirs])
        return self._known[theirs.name], pending.result()


def chosen(profiles: list[str], environment: dict[str, str]) -> tuple[list[Input], list[Move]]:
    """What the command's variables ask for."""
    if path := environment.get("INPUT"):
        if not Path(path).is_file():
            sys.exit(f"equivalence: INPUT={path} is no file.")
        return [cases.of_file(Path(path).resolve(), refused=None)], []
    if environment.get("SHORT"):
        return cases.SHORT, cases.SHORT_MOVES
    wanted = [*cases.profiles(profiles), *cases.FILES.values(), *cases.COMBINED, *cases.REFUSED.values()]
    return wanted, [*cases.MOVES, *cases.TAKE_OVERS]


def show(name: str, verdict: Verdict, seconds: float) -> None:
    """A line for what was compared, and what there is to say of it."""
    print(f"{'equal  ' if verdict.equal else 'DIFFERS'}  {name}: {verdict.words} ({seconds:.1f} s)", flush=True)
    for reason, found in verdict.meant.items():
        keys = list(dict.fromkeys(str(one.key) for one in found))
        print(f"         as it should, {keys[0]}{f' and {len(keys) - 1} more' if keys[1:] else ''}: {reason}")
    for text in verdict.wrong[:_SHOWN]:
        lines = text.splitlines()
        rest = [f"... {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
        print("\n".join(f"         {line}" for line in [*lines[:_LINES], *rest]))
    if len(verdict.wrong) > _SHOWN:
        print(f"         ... {len(verdict.wrong) - _SHOWN} differences more")
    sys.stdout.flush()


def main() -> int:
    """Compare; returns the command's exit code."""
    try:
        return compare_all()
    except KeyboardInterrupt:
        print("equivalence: interrupted", file=sys.stderr)
        return 130


def releases(environment: dict[str, str]) -> list[str]:
    """The releases to compare with."""
    wanted = environment.get("RELEASES", "").replace(",", " ").split() or [labs.ISTIO]
    for version in wanted:
        try:
            select(version, environment.get("KUBERNETES", ""))
        except LabError as error:
            sys.exit(f"equivalence: RELEASES: {error}")
    return wanted


def compare_all() -> int:
    """Compare what was asked for, on two labs of each release; returns 0 where all is equal, else 1."""
    chosen([], dict(os.environ))  # a wrong INPUT is told before labs are started
    kubernetes = os.environ.get("KUBERNETES", "")
    lines = [compare_release(version, kubernetes) for version in releases(dict(os.environ))]
    print("\n".join(line for _equal, line in lines))
    return 0 if all(equal for equal, _line in lines) else 1


def compare_release(version: str, kubernetes: str) -> tuple[bool, str]:
    """Compare with one release; returns whether all is equal, and a line that counts."""
    name = os.environ.get("LAB") or "equivalence"
    names = (f"{name}-theirs", f"{name}-ours")
    clusters = labs.simulated(*names, istio=version, kubernetes=kubernetes)
    with clusters as (of_theirs, of_ours), ThreadPoolExecutor(max_workers=1) as pool:
        release, _fetched = find_release(version, source=of_ours["mesh_release_source"])
        sides = (Theirs(release, of_theirs["mesh_kubeconfig"]), Ours(release, of_ours["mesh_kubeconfig"]))
        comparison = Comparison(*sides, pool)
        wanted, moves = chosen(release.profiles, dict(os.environ))
        equal: list[bool] = []
        everything: list[Input | Move] = [*wanted, *moves]
        for one in everything:
            started = time.monotonic()
            verdict = comparison.of_move(one) if isinstance(one, Move) else comparison.of_input(one)
            show(one.name, verdict, time.monotonic() - started)
            equal.append(verdict.equal)
    return all(equal), f"{version}: {sum(equal)} of {len(equal)} equal ({len(wanted)} inputs, {len(moves)} moves)"


if __name__ == "__main__":
    sys.exit(main())
