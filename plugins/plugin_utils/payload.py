# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps from run to run what ansible-core packs of a module.

A module travels with all that it imports, which ansible-core finds by parsing file after file. A task that has nothing
to change spends more time on that than on its work, and what comes of it is kept until the end of the run only. So it
is put back where ansible-core looks for it, from the user's cache, under a hash of all that it was made of. Where a
version of ansible-core should not look there, it packs as it always did. For modules that run on this machine, byte code
is put in, too.

That cache of ansible-core is its own affair, so this is done with the versions that it was tested with only, and not at
all where the environment variable MESHOPS_MODULE_CACHE is `false`, `no`, `off` or `0`.
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
from ansible_collections.meshops.istio.plugins.plugin_utils.bytecode import compiled

SWITCH = "MESHOPS_MODULE_CACHE"
"""The environment variable that turns this off."""
TESTED = ((2, 17), (2, 21))
"""The oldest and the newest ansible-core whose cache is known."""

_CHECKSUMS = "checksums.json"
_PLUGINS = Path(__file__).resolve().parents[1]
_KEPT = 24 * 3600
"""Seconds that a package stays which another version of something has replaced."""


@contextlib.contextmanager
def kept(module: str, *, local: bool) -> Iterator[None]:
    """Run a module of this collection in this context: it is packed once for all runs.

    `local`: it runs on this machine, and no wire has to carry byte code for another's Python.
    """
    kept_as, known = None, True
    if is_on():
        # Whatever goes wrong here, ansible-core packs the module itself.
        with contextlib.suppress(Exception):
            kept_as = _folder(module) / f"{_key(module)}{'-local' if local else ''}"
            known = _restore(kept_as)
    yield
    if kept_as is not None and not known:
        with contextlib.suppress(Exception):
            _keep(module, kept_as, local=local)


def is_on() -> bool:
    """Whether packages are kept: nobody has turned it off, and this ansible-core is one that it was tested with."""
    if os.environ.get(SWITCH, "").strip().lower() in BOOLEANS_FALSE:
        return False
    number = re.match(r"(\d+)\.(\d+)\.", ansible.__version__)
    return number is not None and TESTED[0] <= (int(number[1]), int(number[2])) <= TESTED[1]


def _restore(kept_as: Path) -> bool:
    """Put the packages in place; whether all that were kept are there as they were."""
    checksums = _checksums(kept_as)
    if checksums is None:
        return False
    packages = {name: (kept_as / name).read_bytes() for name in checksums if belongs(kept_as / name)}
    if {name: hashlib.sha256(content).hexdigest() for name, content in packages.items()} != checksums:
        return False
    place = _place()
    place.mkdir(parents=True, exist_ok=True)
    for name, content in packages.items():
        if not (place / name).exists():
            write_atomically(place / name, content)
    return True


def _checksums(kept_as: Path) -> dict[str, str] | None:
    """The SHA-256 of each package that is kept; None where nothing is, or not what could be relied on."""
    if not belongs(kept_as) or not belongs(kept_as / _CHECKSUMS):
        return None
    content: dict[str, str] = json.loads((kept_as / _CHECKSUMS).read_bytes())
    return content if content and all(name == os.path.basename(name) for name in content) else None


def _keep(module: str, kept_as: Path, *, local: bool) -> None:
    made = [file for file in _place().glob(f"*.plugins.modules.{module}-*") if file.suffix != ".lock"]
    if not made:
        return
    for other in kept_as.parent.iterdir():
        if time.time() - other.stat().st_mtime > _KEPT:
            for file in other.iterdir():
                file.unlink()
            other.rmdir()
    kept_as.mkdir(mode=0o700, exist_ok=True)
    checksums = {}
    for file in made:
        packed = file.read_bytes()
        content = compiled(packed) if local else packed
        checksums[file.name] = hashlib.sha256(content).hexdigest()
        write_atomically(kept_as / file.name, content)
    write_atomically(kept_as / _CHECKSUMS, json.dumps(checksums).encode())


def _place() -> Path:
    """Where ansible-core keeps the packages of a run."""
    return Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"


def _folder(module: str) -> Path:
    folder = cache_folder("modules") / module
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _key(module: str) -> str:
    """A hash of the module, of all that it could import, and of the ansible-core that packs it."""
    core = Path(ansible.__file__).parent / "module_utils" / "basic.py"
    found = hashlib.sha256(
        repr((sys.version, ansible.__version__, str(core), core.stat().st_mtime_ns, _elsewhere())).encode()
    )
    sources = sorted((_PLUGINS / "module_utils").rglob("*.py"))
    for path in (_PLUGINS / "modules" / f"{module}.py", *sources):
        content = path.read_bytes()
        found.update(f"{path.relative_to(_PLUGINS)} {len(content)}\n".encode() + content)
    return found.hexdigest()[:32]


def _elsewhere() -> list[str]:
    """Where else ansible-core looks for what modules import."""
    return [str(path) for path in module_utils_loader._get_paths(subdirs=False)]
