# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of releases that are cut, spoiled, or hold what no release holds."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.archive import unpack
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from hypothesis import strategies as st

_NAMES = st.sampled_from(
    [
        *("istio-1.29.1/bin/istioctl", "istio-1.29.1/manifests/profiles/default.yaml", "istio-1.29.1/manifest.yaml"),
        *("istio-1.29.1", "/etc/passwd", "../out", "istio-1.29.1/../../out", "a\\b", "ä/ö", ".", "x" * 120),
    ]
)
_TYPES = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
_MEMBERS = st.lists(
    st.tuples(_NAMES, _TYPES, st.sampled_from(["", "x", "/etc/passwd", "../../out"]), st.binary(max_size=20)),
    max_size=5,
)
_DAMAGE = st.tuples(st.integers(0, 600), st.binary(max_size=6), st.booleans())


def _archive(members: list[tuple[str, bytes, str, bytes]], mode: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for name, kind, target, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(content) if member.size else None)
    return packed.getvalue()


def test_archives(tmp_path: Path) -> None:
    file = tmp_path / "istio-1.29.1-linux-amd64.tar.gz"

    def check(given: tuple[list[tuple[str, bytes, str, bytes]], str, tuple[int, bytes, bool]]) -> None:
        members, mode, (where, junk, spoils) = given
        data = _archive(members, mode)
        file.write_bytes(data[:where] + junk + data[where + len(junk) :] if spoils else data)
        shutil.rmtree(tmp_path / "target", ignore_errors=True)
        sentence(lambda: unpack(file, tmp_path / "target"))
        sentence(lambda: find_release("1.29.1", source=str(file), cache_dir=str(tmp_path / "cache")))
        assert not (tmp_path / "out").exists()
        assert not (tmp_path.parent / "out").exists()

    fuzz(
        "archives of releases", st.tuples(_MEMBERS, st.sampled_from(["w:gz", "w", "w:xz"]), _DAMAGE), check, share=0.03
    )
