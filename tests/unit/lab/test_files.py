# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is built or written is whole or absent, with kills and other runs in between."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from lab.files import digest, lock_of, locked, published, write


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with published(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert (target / "a").read_text() == "1"


def test_a_folder_whose_making_fails_does_not_appear(tmp_path: Path) -> None:
    def fail() -> None:
        with published(tmp_path / "made") as folder:
            (folder / "a").write_text("1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def _make_half(target: Path) -> None:
    with locked(lock_of(target)), published(target) as folder:
        (folder / "half").write_text("1")
        os.kill(os.getpid(), signal.SIGKILL)


def test_after_a_kill_the_next_run_starts_clean(tmp_path: Path) -> None:
    target = tmp_path / "made"
    killed = multiprocessing.get_context("fork").Process(target=_make_half, args=(target,))
    killed.start()
    killed.join()
    assert not target.exists()
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    with locked(lock_of(target)), published(target) as folder:
        assert not list(folder.iterdir())
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["made"]


def _make_once(target: Path) -> None:
    with locked(lock_of(target)):
        if not target.exists():
            with published(target) as folder:
                time.sleep(0.1)
                (folder / str(os.getpid())).touch()


def test_two_runs_at_once_make_it_once(tmp_path: Path) -> None:
    target = tmp_path / "made"
    runs = [multiprocessing.get_context("fork").Process(target=_make_once, args=(target,)) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * 4
    assert len(list(target.iterdir())) == 1


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "file"
    write(path, "old", 0o600)
    with path.open() as reader:
        write(path, "new", 0o640)
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [other.name for other in path.parent.iterdir()] == ["file"]


def test_a_digest_tells_where_its_parts_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", "c") == digest(b"ab", "c")
