# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with credentials: readable by other programs, in no folder, and gone with the process."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import memory_file as module
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.memory_file import memory_file

SECRET = b"swordfish"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def on_disk(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system that has no files in memory."""
    monkeypatch.setattr(module, "_in_memory", lambda: None)
    return temporary


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are Linux's")
def test_another_program_reads_it_by_its_path_and_no_folder_has_it(temporary: Path) -> None:
    with memory_file(SECRET) as path:
        for _twice in range(2):
            assert subprocess.run(["cat", path], capture_output=True, check=True).stdout == SECRET
        assert list(temporary.iterdir()) == []
    assert not os.path.exists(path)


def test_it_is_there_as_long_as_somebody_knows_it() -> None:
    path = memory_file(SECRET)
    copied = copy.deepcopy({"cert_file": path})
    del path
    assert Path(copied["cert_file"]).read_bytes() == SECRET
    gone = str(copied["cert_file"])
    copied.clear()
    assert not os.path.exists(gone)


def test_without_files_in_memory_it_is_this_users_alone_and_goes(on_disk: Path) -> None:
    with memory_file(SECRET) as path:
        assert os.stat(path).st_mode & 0o077 == 0
        assert Path(path).parent == on_disk
    assert list(on_disk.iterdir()) == []


def test_the_next_run_removes_what_a_killed_one_left(on_disk: Path) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    (on_disk / f"meshops-{killed.pid}-left").write_bytes(SECRET)
    (on_disk / f"meshops-{os.getpid()}-running").write_bytes(SECRET)
    (on_disk / "meshops-progress-abc").touch()
    memory_file(b"").close()
    assert {one.name for one in on_disk.iterdir()} == {f"meshops-{os.getpid()}-running", "meshops-progress-abc"}
