# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading YAML and JSON as kubectl does, and no more of it than memory and stack can hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import (
    DEPTH_LIMIT,
    check_limits,
    read_yaml,
    to_json,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.writer import write_yaml
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def refusal(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(text, "mesh.yaml")
    assert "\n" not in caught.value.message
    assert caught.value.code == "invalid_input"
    return caught.value


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# --- scalars, compared with what kubectl 1.35 makes of them -------------------------------------------------------

AS_KUBECTL: list[tuple[str, Any]] = [
    *((word, True) for word in ("yes", "on", "y", "Y", "true", "TRUE")),
    *((word, False) for word in ("no", "off", "n", "N", "false", "Off")),
    *((word, None) for word in ("~", "null", "NULL", "")),
    *((octal, 416) for octal in ("0o640", "0640", "0O640", "0x1A0", "0b110100000")),
    *((number, 1000) for number in ("1e3", "1E3", "1e+3", "1_000", "1000.", "1000.0", "+1000")),
    ("1e+06", 1000000),
    ("1.5e3", 1500),
    ("1e-3", 0.001),
    (".5", 0.5),
    ("1.10", 1.1),
    ("007", 7),
    ("08", 8),
    ("-0o17", -15),
    ("-0x1f", -31),
    ("685.230_15e+03", 685230.15),
    ("9223372036854775807", 9223372036854775807),
    ("9223372036854775808", 9223372036854776000),
    ("18446744073709551616", 18446744073709552000),
    ("123456789012345678901234567890", 1.2345678901234568e29),
    *(
        (text, text)
        for text in ("0o8", "0b2", "0x", "0xZZ", "1e", ".e3", "._", "1,000", "1e400", "=", "1:30", "12:30:45")
    ),
    *((text, text) for text in ("2024-01-01", "2024-01-01T10:00:00Z", "1.2.3", "1.8.9-alpha", "-a", "+", "yess")),
    ("!!str 1", "1"),
    ("!!str", ""),
    ("'0o640'", "0o640"),
    ('"yes"', "yes"),
    ("!!int '7'", 7),
    ("!!binary aGVsbG8=", "hello"),
]


@pytest.mark.parametrize(("written", "meant"), AS_KUBECTL)
def test_scalars_mean_what_they_mean_to_kubectl(written: str, meant: Any) -> None:
    [document] = read_yaml(f"a: {written}\n", "mesh.yaml")
    assert (document["a"], type(document["a"])) == (meant, type(meant))


@pytest.mark.parametrize("number", [".inf", "-.INF", ".nan"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    assert "line 2" in refusal(f"a:\n- {number}").message


def test_keys_are_text_as_kubectl_writes_them() -> None:
    written = "{1: a, yes: b, 0x10: c, 1.50: d, 1.0: e}"
    assert has_facts(refusal(written).message, "key '1' & duplicate")
    assert read_yaml(written.replace("1.0", "2.0"), "a") == [{"1": "a", "true": "b", "16": "c", "1.5": "d", "2": "e"}]


@pytest.mark.parametrize("text", [text for text, meant in AS_KUBECTL if meant != text])
def test_text_that_looks_like_more_is_written_so_that_it_is_read_as_text(text: str) -> None:
    assert read_yaml(write_yaml([{"a": text, "b": f"{text}\n{text}\n"}]), "a")[0] == {
        "a": text,
        "b": f"{text}\n{text}\n",
    }


# --- JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        (json.dumps({"a": "🚀"}), [{"a": "🚀"}]),
        (f"\ufeff {json.dumps(['🚀'])}\n", [["🚀"]]),
        ('{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}]),
        ('{"a":1}{"a":2}', [{"a": 1}, {"a": 2}]),
        ('{"a":1}\n---\n{"a":"\\ud83d\\ude80"}\n---\n', [{"a": 1}, {"a": "🚀"}]),
        (
            '{"a": 1e3, "b": 1.0, "c": 1.5, "d": 18446744073709551616}',
            [{"a": 1000, "b": 1, "c": 1.5, "d": 18446744073709552000}],
        ),
        ('{"a": "\\ud83d"}', [{"a": "\ufffd"}]),
        ("{a: b, c: [yes]}", [{"a": "b", "c": [True]}]),
        ("[a, b]\n", [["a", "b"]]),
    ],
)
def test_json_is_read(text: str, documents: list[Any]) -> None:
    assert read_yaml(text, "a.json") == documents


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ('{"a":1}\n{"a":1,\n"a":2}\n', 2, "'a' is a duplicate"),
        ('{"a":1}\n\n{"a" 2}\n', 3, "delimiter"),
        ('{"a": 1e999}', 1, "1e999"),
    ],
)
def test_malformed_json_is_refused_with_its_line(text: str, line: int, fact: str) -> None:
    message = refusal(text).message
    assert f"line {line}: " in message
    assert fact in message


@pytest.mark.parametrize("text", ["🚀", "a\x7fb", "a\x85b\u2028c\u2029d", "\ufeff", "grüß\n\t\"'", "\ud83d"])
def test_json_for_istioctl_and_the_api_server_is_the_same_as_yaml(text: str) -> None:
    written = to_json({"a": text})
    expected = text.replace("\ud83d", "\ufffd")
    assert json.loads(written) == {"a": expected}
    # libyaml and Go's parser agree on what is not allowed, and on what is a line break.
    assert read_yaml(f"- {written}", "a") == [[{"a": expected}]]


# --- limits -------------------------------------------------------------------------------------------------------


def bomb(levels: int, width: int = 9) -> str:
    lines = ['a0: &a0 ["x"]']
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize("levels", [8, 10, 40])
def test_aliases_that_multiply_are_refused_before_they_take_memory(levels: int) -> None:
    assert "excessive aliasing" in refusal(bomb(levels)).message


def test_merge_keys_that_multiply_are_refused() -> None:
    lines = ["m0: &m0 {" + ", ".join(f"k{n}: v" for n in range(50)) + "}"]
    lines += [f"m{n}: &m{n} {{a: *m{n - 1}, b: *m{n - 1}, <<: *m{n - 1}}}" for n in range(1, 30)]
    assert "excessive aliasing" in refusal("\n".join(lines)).message


def test_ordinary_anchors_are_read_and_each_use_is_a_copy() -> None:
    text = "base: &b {labels: {app: web}}\n" + "".join(f"u{n}: *b\n" for n in range(500))
    [document] = read_yaml(text, "a")
    document["u1"]["labels"]["app"] = "changed"
    assert document["u2"] == document["base"] == {"labels": {"app": "web"}}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 100_000,
        '{"a":' * 100_000,
        "- " * 100_000,
        "\n".join(" " * depth + "a:" for depth in range(2000)),
        nested(DEPTH_LIMIT + 1),
        f"- {nested(DEPTH_LIMIT)}",
        f"a: &a {nested(DEPTH_LIMIT - 1)}\nb: [*a]",
    ],
    ids=range(8),
)
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    assert f"more than {DEPTH_LIMIT} levels deep" in refusal(text).message


def test_the_limit_of_depth_is_the_same_for_json_yaml_and_data() -> None:
    [value] = read_yaml(nested(DEPTH_LIMIT), "a")
    assert read_yaml(f"{nested(DEPTH_LIMIT)} # YAML", "a") == [value]
    check_limits(value, "a")
    with pytest.raises(InvalidInput, match="levels deep"):
        check_limits([value], "a")


def test_data_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(InvalidInput, match="levels deep"):
        check_limits(value, "a")


@pytest.mark.parametrize("text", ["metadata: &m {name: a, self: *m}", "&a [*a]", "a: &a\n  b: &b {c: *a}"])
def test_an_anchor_that_contains_itself_is_refused(text: str) -> None:
    assert re.search(r"line \d: the anchor '\w' contains itself", refusal(text).message)


def test_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader.SIZE_LIMIT", 1000)
    assert "more than" in refusal("- a\n" * 1001).message
    assert "more than" in refusal(json.dumps(["a"] * 1001)).message
    assert len(read_yaml("- a\n" * 900, "a")[0]) == 900
