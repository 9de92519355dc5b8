# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cache the packages of modules between runs.

ansible-core packs a module with all its imports, which it finds by parsing one file after another. For a task without
changes this takes longer than its work, and ansible-core caches the package for one run only. This restores it into
ansible-core's folder from the user's cache, under a hash of all sources. For modules on this machine, byte code is
added. If ansible-core does not look there, it packs the module as usual.

ansible-core's folder is not a public interface. So this is limited to the versions it was tested with, and the
environment variable MESHOPS_MODULE_CACHE disables it by `false`, `no`, `off` or `0`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import ansible
from ansible import constants
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE
from ansible.plugins.loader import module_utils_loader
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.cache import (
    belongs,
    cache_folder,
    write_atomically,
)
from ansible_collections.meshops.istio.plugins.plugin_utils.bytecode import with_byte_code

SWITCH = "MESHOPS_MODULE_CACHE"
"""The environment variable that disables the cache."""
TESTED = ((2, 17), (2, 21))
"""The oldest and newest ansible-core that this was tested with."""

_CHECKSUMS = "checksums.json"
_PLUGINS = Path(__file__).resolve().parents[1]
_RETENTION = 24 * 3600
"""Seconds after which replaced packages are deleted."""


@contextlib.contextmanager
def package_cache(module: str, *, local: bool) -> Iterator[None]:
    """A context to run a module in, with a cached package.

    `local`: the module runs on this machine, so byte code is added.
    """
    entry, restored = None, True
    if is_on():
        # After any error, ansible-core packs the module itself.
        with contextlib.suppress(Exception):
            entry = _folder(module) / f"{_key(module)}{'-local' if local else ''}"
            restored = _restore(entry)
    yield
    if entry is not None and not restored:
        with contextlib.suppress(Exception):
            _store(module, entry, local=local)


def is_on() -> bool:
    """Return whether the cache is enabled, and ansible-core one of the tested versions."""
    if os.environ.get(SWITCH, "").strip().lower() in BOOLEANS_FALSE:
        return False
    number = re.match(r"(\d+)\.(\d+)\.", ansible.__version__)
    return number is not None and TESTED[0] <= (int(number[1]), int(number[2])) <= TESTED[1]


def _restore(entry: Path) -> bool:
    """Restore the packages; return False if some are missing or changed in the cache."""
    checksums = _checksums(entry)
    if checksums is None:
        return False
    packages = {name: (entry / name).read_bytes() for name in checksums if belongs(entry / name)}
    if {name: hashlib.sha256(content).hexdigest() for name, content in packages.items()} != checksums:
        return False
    place = _core_folder()
    place.mkdir(parents=True, exist_ok=True)
    for name, content in packages.items():
        if not (place / name).exists():
            write_atomically(place / name, content)
    return True


def _checksums(entry: Path) -> dict[str, str] | None:
    """Return the SHA-256 of each cached package; None if there is none, or the cache is not safe."""
    if not belongs(entry) or not belongs(entry / _CHECKSUMS):
        return None
    content: dict[str, str] = json.loads((entry / _CHECKSUMS).read_bytes())
    return content if content and all(name == os.path.basename(name) for name in content) else None


def _store(module: str, entry: Path, *, local: bool) -> None:
    made = [file for file in _core_folder().glob(f"*.plugins.modules.{module}-*") if file.suffix != ".lock"]
    if not made:
        return
    for other in entry.parent.iterdir():
        if time.time() - other.stat().st_mtime > _RETENTION:
            for file in other.iterdir():
                file.unlink()
            other.rmdir()
    entry.mkdir(mode=0o700, exist_ok=True)
    checksums = {}
    for file in made:
        packed = file.read_bytes()
        content = with_byte_code(packed) if local else packed
        checksums[file.name] = hashlib.sha256(content).hexdigest()
        write_atomically(entry / file.name, content)
    write_atomically(entry / _CHECKSUMS, json.dumps(checksums).encode())


def _core_folder() -> Path:
    """Return ansible-core's folder with the packages of a run."""
    return Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"


def _folder(module: str) -> Path:
    folder = cache_folder("modules") / module
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _key(module: str) -> str:
    """Return a hash of the module, all its possible imports, and ansible-core."""
    core = Path(ansible.__file__).parent / "module_utils" / "basic.py"
    found = hashlib.sha256(
        repr((sys.version, ansible.__version__, str(core), core.stat().st_mtime_ns, _other_folders())).encode()
    )
    sources = sorted((_PLUGINS / "module_utils").rglob("*.py"))
    for path in (_PLUGINS / "modules" / f"{module}.py", *sources):
        content = path.read_bytes()
        found.update(f"{path.relative_to(_PLUGINS)} {len(content)}\n".encode() + content)
    return found.hexdigest()[:32]


def _other_folders() -> list[str]:
    """Return the other folders in which ansible-core looks for imports."""
    return [str(path) for path in module_utils_loader._get_paths(subdirs=False)]
