# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows `make versions` runs, and what it makes of a step that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from ansible_collections.meshops.istio.tests.equivalence.run import releases
from ansible_collections.meshops.istio.tests.versions import run as results
from ansible_collections.meshops.istio.tests.versions.run import HEAD, chosen, line, run
from ansible_collections.meshops.istio.tests.versions.site import STEPS, Site, StepFailed

from lab.errors import LabError
from lab.selection import Selection
from lab.versions import ISTIO_RELEASES

ROW = Selection(("1.31.0",), "1.37.2")


class Played:
    """A site whose steps are noted; one of them may fail."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.steps = failing, list[str]()

    def __getattr__(self, step: str) -> Any:
        def play() -> str:
            self.steps.append(step)
            if step == self.failing:
                raise StepFailed("5 writes")
            return ""

        return play


def test_every_release_runs_on_its_kubernetes() -> None:
    rows = chosen({})
    assert [row.istio for row in rows] == [(version,) for version in ISTIO_RELEASES]
    assert [row.kubernetes for row in rows] == ["1.34.4", "1.35.4", "1.35.4", "1.37.2"]
    assert chosen({"ROWS": "1.31.0", "KUBERNETES": "1.36.3"}) == [Selection(("1.31.0",), "1.36.3")]
    with pytest.raises(LabError, match=r"1\.27\.0"):
        chosen({"ROWS": "1.31.0,1.27.0"})


def test_all_steps_are_run_in_their_order() -> None:
    site = Played()
    shown, failure = run(ROW, cast(Site, site))
    assert (site.steps, failure) == (list(STEPS), "")
    assert len(line(ROW, shown).split()) == 2 + 2 * len(STEPS)  # "0 s" each


def test_a_row_replaces_the_one_of_its_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.yml")
    other = Selection(("1.29.1",), "1.35.4")
    results.record(ROW, {"install": "FAILS"}, "1.31.0: install: no")
    results.record(other, {"install": "9 s"}, "")
    results.record(ROW, {"install": "8 s", "again": "0 writes, 12 s"}, "")
    kept = yaml.safe_load((tmp_path / "results.yml").read_text(encoding="utf-8"))
    assert [(one["istio"], one["kubernetes"], one["steps"], one["failure"]) for one in kept] == [
        ("1.29.1", "1.35.4", {"install": "holds"}, ""),
        ("1.31.0", "1.37.2", {"install": "holds", "again": "0 writes"}, ""),
    ]


def test_a_step_that_fails_ends_its_row_and_is_told() -> None:
    site = Played("again")
    shown, failure = run(ROW, cast(Site, site))
    assert site.steps == ["install", "again"]
    assert failure == "1.31.0: again: 5 writes"
    text = line(ROW, shown)
    assert text.index("FAILS") == HEAD.index("again")


def test_a_release_to_compare_with_is_one_that_the_lab_has() -> None:
    assert releases({"RELEASES": "1.30.4, 1.31.0"}) == ["1.30.4", "1.31.0"]
    assert len(releases({})) == 1
    with pytest.raises(SystemExit, match=r"RELEASES: .*1\.5\.0"):
        releases({"RELEASES": "1.5.0"})
