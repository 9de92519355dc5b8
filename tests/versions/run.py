# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make versions`: each release of Istio on its Kubernetes, from an empty node to an empty node.

ROWS=1.31.0,... runs these releases instead of all; KUBERNETES=1.36.3 runs them on that version. Prints a table, and keeps
it in results.yml; exits with 1 unless everything holds.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import yaml

from lab import node, selection
from lab.errors import LabError
from lab.paths import Lab
from lab.selection import Selection
from lab.versions import ISTIO_RELEASES

from .site import STEPS, Site, StepFailed

_SECONDS = re.compile(r"(, )?\d+ s$")  # they say more of what else the machine did
RESULTS = Path(__file__).with_name("results.yml")
HEAD = f"{'Istio':<8}{'Kubernetes':<12}" + "".join(f"{name:<{width}}" for name, width in STEPS.items())


def chosen(environment: Mapping[str, str]) -> list[Selection]:
    """The rows that the command's variables ask for; LabError for an unknown version."""
    releases = environment.get("ROWS", "").replace(",", " ").split() or list(ISTIO_RELEASES)
    given = environment.get("KUBERNETES", "")
    newest = {name: release.newest for name, release in ISTIO_RELEASES.items()}
    return [selection.select(release, given or newest.get(release, "")) for release in releases]


@contextlib.contextmanager
def lab_for(name: str, row: Selection) -> Iterator[Lab]:
    """A new lab with the versions of a row, gone in the end."""
    lab = Lab(name)
    try:
        node.down(lab)  # a run that was killed may have left it
        node.up(lab, {}, istio=",".join(row.istio), kubernetes=row.kubernetes)
        yield lab
    finally:
        node.down(lab)


def run(row: Selection, site: Site) -> tuple[dict[str, str], str]:
    """Run the steps of a row: what the table shows of each, and why the row fails, if it does."""
    shown: dict[str, str] = {}
    for step in STEPS:
        begun = time.monotonic()
        try:
            found = getattr(site, step)()
        except StepFailed as error:
            shown[step] = "FAILS"
            return shown, f"{row.istio[0]}: {step}: {error}"
        shown[step] = f"{found}{time.monotonic() - begun:.0f} s"
        print(f"versions: Istio {row.istio[0]}: {step}: {shown[step]}", file=sys.stderr, flush=True)
    return shown, ""


def line(row: Selection, shown: Mapping[str, str]) -> str:
    """A row of the table."""
    cells = "".join(f"{shown.get(name, '-'):<{width}}" for name, width in STEPS.items())
    return f"{row.istio[0]:<8}{row.kubernetes:<12}{cells}".rstrip()


def record(row: Selection, shown: Mapping[str, str], failure: str) -> None:
    """Keep what a row has shown, for the documentation; a row replaces the one of its versions from before."""
    kept = yaml.safe_load(RESULTS.read_text(encoding="utf-8")) or [] if RESULTS.exists() else []
    new = {
        "istio": row.istio[0],
        "kubernetes": row.kubernetes,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "module": ISTIO_RELEASES[row.istio[0]].module,
        "steps": {step: _SECONDS.sub("", found) or "holds" for step, found in shown.items()},
        "failure": failure,
    }
    rows = {(one["istio"], one["kubernetes"]): one for one in [*kept, new]}
    text = yaml.safe_dump([rows[key] for key in sorted(rows)], sort_keys=False, width=110)
    RESULTS.write_text(f"---\n# Written by `make versions`; `make docs` shows it.\n{text}", encoding="utf-8")


def main() -> int:
    """Run what was asked for; returns the command's exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    lines, failures = [], []
    try:
        for row in chosen(os.environ):
            with (
                lab_for(os.environ.get("LAB") or "versions", row) as lab,
                tempfile.TemporaryDirectory() as folder,
            ):
                shown, failure = run(row, Site(lab, Path(folder)))
            lines.append(line(row, shown))
            record(row, shown, failure)
            failures += [failure] if failure else []
    except KeyboardInterrupt:
        print("versions: interrupted", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"versions: {error}", file=sys.stderr)
        return 1
    finally:
        if lines:
            print("\n".join([HEAD.rstrip(), *lines, *failures]))
    return 1 if failures else 0


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
