# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server, or what stands in its place, whose answers are cut, are no JSON, or have another shape."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from ansible_collections.meshops.istio.tests.fuzz.conftest import Try
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken, values
from ansible_collections.meshops.istio.tests.fuzz.running import cluster_of
from ansible_collections.meshops.istio.tests.fuzz.test_live_objects import CALLS, mesh_of
from hypothesis import strategies as st

Spoil = Callable[[str, bytes], bytes]


def _cut(length: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:length]


def _replaced(value: Any) -> Callable[[bytes], bytes]:
    return lambda _data: json.dumps(value).encode()


def _garbled(junk: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[: len(data) // 2] + junk + data[len(data) // 2 :]


def _field(key: str, value: Any) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        answer = json.loads(data or b"{}")
        return json.dumps({**answer, key: value} if isinstance(answer, dict) else answer).encode()

    return change


def _item(value: Any) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        answer = json.loads(data or b"{}")
        if isinstance(answer, dict) and isinstance(answer.get("items"), list):
            answer["items"].append(value)
        return json.dumps(answer).encode()

    return change


_BODIES: Any = st.sampled_from(
    [{}, {"items": []}, {"kind": "Status", "code": 404}, {"metadata": {"name": "a"}}, [], "x", None, 7]
)
_KEYS = st.sampled_from(
    ["items", "metadata", "kind", "apiVersion", "status", "spec", "gitVersion", "major", "groups", "versions"]
)
_SPOILS = st.one_of(
    st.integers(0, 200).map(_cut),
    mistaken(_BODIES).map(_replaced),
    st.binary(max_size=8).map(_garbled),
    st.tuples(_KEYS, values).map(lambda pair: _field(*pair)),
    values.map(_item),
    mistaken(
        st.just(
            {
                "metadata": {"name": "a", "versions": []},
                "versions": [{"version": "v1", "resources": [{"resource": "a"}]}],
            }
        )
    ).map(_item),
)


def test_modules_on_an_api_server_that_answers_oddly(attempt: Try) -> None:
    def check(given: tuple[Callable[[bytes], bytes], int, tuple[str, dict[str, Any]]]) -> None:
        change, which, (module, options) = given
        asked: list[str] = []

        def spoil(path: str, data: bytes) -> bytes:
            # One path of all that are asked for, in their order.
            if path not in asked:
                asked.append(path)
            return change(data) if asked.index(path) == which else data

        attempt(cluster_of(mesh_of([]), spoil), module, **copy.deepcopy(options))

    given = st.tuples(_SPOILS, st.integers(0, 12), st.sampled_from(CALLS))
    fuzz("answers of an API server", given, check, share=0.06)
