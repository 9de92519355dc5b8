# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that is almost YAML or JSON, in whatever encoding: read, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import read_manifests
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import read_yaml, to_json
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.text_encoding import decode
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.writer import write_yaml
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from ansible_collections.meshops.istio.tests.fuzz.valid import MANIFESTS
from hypothesis import strategies as st

_PIECES = st.sampled_from(
    [
        *(
            "a: ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "<<: ",
            "? ",
            ": ",
            "!!int ",
            "!x ",
            "|\n",
            ">\n",
            "---\n",
            "...\n",
        ),
        *("\n", "  ", "'", '"', "\\u12", "\\ud83d", "%YAML 1.2\n", "#", ",", "0x", "1e5", ".nan", "~", "\t"),
        *("\ufeff", "\x00", "\x85", "\ud83d"),
    ]
)
_YAML = st.lists(st.one_of(_PIECES, st.text(max_size=3)), max_size=30).map("".join)
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp037"])
_TEXT = write_yaml(MANIFESTS[:9])


@st.composite
def _cut(draw: Any) -> str:
    """A valid text with a piece taken out and another put in."""
    start = draw(st.integers(0, len(_TEXT)))
    end = draw(st.integers(start, min(len(_TEXT), start + 40)))
    inserted: str = draw(_YAML)
    return _TEXT[:start] + inserted + _TEXT[end:]


def test_what_is_almost_yaml() -> None:
    def check(text: str) -> None:
        sentence(lambda: read_manifests(text, "a.yaml"))
        sentence(lambda: [read_yaml(to_json(one), "a") for one in read_yaml(text, "a.yaml")])

    fuzz("texts of YAML", st.one_of(_YAML, _cut()), check, share=0.08)


def test_bytes_of_any_encoding(tmp_path: Path) -> None:
    def check(given: tuple[str, str, bytes]) -> None:
        text, encoding, more = given
        data = text.encode(encoding, "replace") + more
        sentence(lambda: read_yaml(decode(data, "a.yaml"), "a.yaml"))

    fuzz("bytes", st.tuples(_YAML, _ENCODINGS, st.binary(max_size=4)), check, share=0.04)


def test_what_is_read_is_written_and_read_again() -> None:
    def check(value: Any) -> None:
        assert read_yaml(to_json([value]), "a") == [[value]]
        assert read_yaml(write_yaml([[value]]), "a") == [[value]]
        assert json.loads(to_json(value)) == value

    plain = st.characters(
        codec="utf-8", exclude_characters="\r\x85\u2028\u2029\ufeff\ufffe\uffff", exclude_categories=["Cc", "Cs"]
    )
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.text(plain, max_size=8),
        st.sampled_from(["y", "0o7", "1e3", "08"]),
    )
    data = st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(plain, max_size=4), inner, max_size=3)
        ),
    )
    fuzz("data written and read", data, check, share=0.04)
