# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long steps say what they do, how far they are and how long they take, on standard error."""

from __future__ import annotations

import time

import pytest

from lab import progress


def test_a_step_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "_EVERY", 0.05)
    with progress.step("building") as far:
        far("1 package")
        far("2 packages")
        time.sleep(0.2)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "lab: building ..."
    assert "lab: building: 2 packages, 0 s so far" in lines
    assert lines[-1].startswith("lab: building: done in 0.")


def test_a_step_that_fails_is_not_said_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), progress.step("building"):
        raise RuntimeError
    assert "done" not in capsys.readouterr().err
