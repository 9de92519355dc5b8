# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of a running module, and when."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import changes_line
from ansible_collections.meshops.istio.plugins.plugin_utils import progress_display
from ansible_collections.meshops.istio.plugins.plugin_utils.progress_display import REMINDER, Pace, ProgressDisplay


def test_the_newest_of_the_new_lines_is_shown_with_its_time() -> None:
    pace = Pace(started=100.0)
    assert (
        pace.next(["rendering", "waiting for istiod: 0 of 1 ready"], 112.4) == "waiting for istiod: 0 of 1 ready (12s)"
    )


def test_a_line_is_shown_once_until_it_changes() -> None:
    pace = Pace(started=0.0)
    assert pace.next(["waiting for istiod"], 1.0)
    assert pace.next([], 2.0) is None
    assert pace.next(["waiting for istiod"], 3.0) is None
    assert pace.next(["waiting for the gateway"], 4.0) == "waiting for the gateway (4s)"


def test_while_nothing_changes_it_is_shown_again_at_times() -> None:
    pace = Pace(started=0.0)
    pace.next(["waiting for istiod"], 1.0)
    assert pace.next([], REMINDER) is None
    assert pace.next([], 1.0 + REMINDER) == f"still waiting for istiod ({1 + REMINDER:.0f}s)"
    assert pace.next([], 2.0 + REMINDER) is None


def test_a_forgotten_line_is_not_shown_again() -> None:
    pace = Pace(started=0.0)
    assert pace.next(["waiting for istiod"], 1.0)
    pace.forget()
    assert pace.next([], 2.0 + REMINDER) is None
    assert pace.next(["waiting for istiod"], 3.0 + REMINDER)


def test_nothing_is_shown_of_a_module_that_tells_nothing() -> None:
    assert Pace(started=0.0).next([], 1000.0) is None


def test_lines_of_a_file_are_shown_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_display, "TICK", 0.01)
    shown: list[str] = []
    with ProgressDisplay(shown.append, "cluster-a") as path:
        for text in ("waiting for ", "istiod\n", "waiting for the gateway\n"):
            with open(path, "a", encoding="utf-8") as file:
                file.write(text)
            _until(lambda text=text: not text.endswith("\n") or any(text.strip() in line for line in shown))
    assert [line.rpartition(" (")[0] for line in shown] == [
        "  [cluster-a] waiting for istiod",
        "  [cluster-a] waiting for the gateway",
    ]
    assert not os.path.exists(path)


def test_changes_are_all_shown_even_of_a_module_that_has_just_ended() -> None:
    shown: list[str] = []
    created = {"action": "create", "api_version": "v1", "kind": "Namespace", "namespace": "", "name": "shop"}
    with ProgressDisplay(shown.append, "cluster-a") as path, open(path, "a", encoding="utf-8") as file:
        file.write(changes_line("plan", [created], planned=True) + "\nwaiting for istiod\n")
        file.write(changes_line("injection", [created]) + "\n" + changes_line("broken", [])[:-1] + "\n")
    assert shown == [
        "  [cluster-a] plan: 1 to create, 0 to update, 0 to delete (Namespace shop)",
        "  [cluster-a] injection: 1 created (Namespace shop)",
    ]


def test_the_file_is_the_users_alone() -> None:
    with ProgressDisplay(lambda _line: None, "cluster-a") as path:
        assert Path(path).stat().st_mode & 0o777 == 0o600


def _until(condition: object, limit: float = 10.0) -> None:
    ends = time.monotonic() + limit
    assert callable(condition)
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)
