# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known checksums are added in the order of versions."""

from __future__ import annotations

from ansible_collections.meshops.istio.tools import checksums

TEXT = 'ARCHIVES: dict[str, str] = {\n    "1.9.0-linux-amd64": "a",\n}\n"""By version."""\n'


def test_checksums_are_written_in_the_order_of_versions() -> None:
    known = {"1.10.0-linux-amd64": "b", "1.9.0-linux-amd64": "a", "1.10.0-rc.1-linux-amd64": "c"}
    text = checksums.written(TEXT, known)
    assert [text.index(f'"{digest}"') for digest in "abc"] == sorted(text.index(f'"{digest}"') for digest in "abc")
    assert text.startswith("ARCHIVES")
    assert text.endswith('}\n"""By version."""\n')
