# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-core packs of a module is packed once, as long as it would be the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import ansible
import pytest
from ansible import constants
from ansible_collections.meshops.istio.plugins.plugin_utils import payload
from ansible_collections.meshops.istio.tools.publish import environments

MODULE = "control_plane"
PACKED = f"ansible_collections.meshops.istio.plugins.modules.{MODULE}-ZIP_DEFLATED-none"

Run = Callable[[], bool]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of the module in a run of Ansible of its own; whether ansible-core had to pack."""
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "cache"))
    runs = iter(range(10))

    def once() -> bool:
        temporary = tmp_path / f"run-{next(runs)}"
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(temporary))
        with payload.package_cache(MODULE, local=True):
            packed = temporary / "ansiballz_cache" / PACKED
            if packed.exists():
                assert packed.read_bytes() == b"all of it"
                return False
            packed.parent.mkdir(parents=True, exist_ok=True)
            packed.write_bytes(b"all of it")
            packed.with_name(f"{PACKED}.lock").touch()
            return True

    return once


def kept_files(tmp_path: Path) -> list[Path]:
    found = (tmp_path / "cache" / "modules" / MODULE).rglob(f"*{MODULE}-*")
    return sorted(path for path in found if path.is_file())


def test_it_is_packed_once(run: Run, tmp_path: Path) -> None:
    assert [run(), run(), run()] == [True, False, False]
    assert [path.name for path in kept_files(tmp_path)] == [PACKED]


def test_other_sources_are_packed_anew(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run()
    [old] = kept_files(tmp_path)
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old.parent, (long_ago, long_ago))
    monkeypatch.setattr(payload, "_key", lambda module: f"another key of {module}")
    assert [run(), run()] == [True, False]
    assert old not in kept_files(tmp_path)


def test_the_key_tells_all_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("modules/control_plane.py", "modules/mtls.py", "module_utils/kube/plan/plan.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    monkeypatch.setattr(payload, "_PLUGINS", tmp_path)

    def key() -> str:
        payload._key.cache_clear()
        return payload._key(MODULE)

    first = key()
    (tmp_path / "modules/mtls.py").write_text("2")
    assert key() == first
    (tmp_path / "module_utils/kube/plan/plan.py").write_text("2")
    second = key()
    assert second != first
    (tmp_path / "modules/control_plane.py").write_text("2")
    assert key() not in (first, second)
    payload._key.cache_clear()


@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_others_could_have_written_is_not_run(run: Run, tmp_path: Path, which: str) -> None:
    assert run()
    [file] = kept_files(tmp_path)
    (file if which == "file" else file.parent).chmod(0o777)
    assert run()


def test_a_cache_that_cannot_be_written_is_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(payload, "cache_folder", refuse)
    assert [run(), run()] == [True, True]
    assert kept_files(tmp_path) == []


def test_a_package_that_is_truncated_is_packed_anew(run: Run, tmp_path: Path) -> None:
    assert run()
    [file] = kept_files(tmp_path)
    file.write_bytes(b"all")
    assert [run(), run()] == [True, False]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"../../x": "0"}', '{"x": "0"}'])
def test_checksums_that_are_not_understood_are_none(run: Run, tmp_path: Path, content: str) -> None:
    assert run()
    [file] = kept_files(tmp_path)
    (file.parent / "checksums.json").write_text(content)
    assert run()


@pytest.mark.parametrize("value", ["false", "no", "OFF", "0"])
def test_it_can_be_turned_off(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(payload.SWITCH, value)
    assert [run(), run()] == [True, True]
    assert kept_files(tmp_path) == []


@pytest.mark.parametrize(
    ("version", "on"),
    [("2.17.0", True), ("2.21.3", True), ("2.16.9", False), ("2.22.0.dev0", False), ("3.0.0", False), ("?", False)],
)
def test_it_is_off_where_the_version_is_unknown(
    run: Run, monkeypatch: pytest.MonkeyPatch, version: str, on: bool
) -> None:
    monkeypatch.setattr(ansible, "__version__", version)
    payload._key.cache_clear()
    assert [run(), run()] == [True, not on]


def test_the_versions_are_those_that_are_tested() -> None:
    tested = [tuple(map(int, version.split("."))) for version in environments.CONTROLLERS]
    assert (min(tested), max(tested)) == payload.TESTED


def test_whatever_fails_the_module_is_packed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(payload, "_restore", fail)
    assert [run(), run()] == [True, True]
