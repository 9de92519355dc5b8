# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a survey answers, and what the filter conform makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.conform import conform

OPTIONS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {"type": "str", "choices": ["", "NodePort"], "default": ""},
    "version": {"type": "str"},
    "timeout": {"type": "int", "default": 300},
    "wait": {"type": "bool", "default": True},
    "file": {"type": "path"},
    "names": {"type": "list", "elements": "str", "default": []},
    "ports": {"type": "dict", "default": {}},
    "overlays": {"type": "list", "elements": "raw", "default": []},
    "units": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "src": {"type": "list", "elements": "str"},
            "wait": {"type": "bool"},
        },
    },
    "token": {"type": "str", "no_log": True},
}
MAP = "a map (key=value pairs, one per line or separated by commas, or a map in YAML or JSON)"
SHOP = {"name": "shop", "src": ["a.yaml", "b.yaml"], "wait": False}


def setting(name: str, value: Any) -> Any:
    read = conform({name: value}, OPTIONS)
    assert read["errors"] == []
    return read["settings"][name]


def complaint(name: str, value: Any) -> str:
    (sentence,) = conform({name: value}, OPTIONS)["errors"]
    assert isinstance(sentence, str)
    return sentence


@pytest.mark.parametrize("blank", [None, "", "  \n"])
def test_a_blank_answer_means_the_default(blank: str | None) -> None:
    read = conform(dict.fromkeys(OPTIONS, blank), OPTIONS)
    assert read["errors"] == []
    expected = {name: option.get("default") for name, option in OPTIONS.items() if name != "token"}
    assert read["settings"] == expected


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("timeout", "30080", 30080),
        ("timeout", " 60 ", 60),
        ("wait", "false", False),
        ("wait", "Yes", True),
        ("wait", 0, False),
        ("version", 1.29, "1.29"),
        ("version", " 1.29.1 ", "1.29.1"),
        ("type", "", ""),
        ("names", "dev\ntest\n", ["dev", "test"]),
        ("names", "dev, test", ["dev", "test"]),
        ("names", "dev", ["dev"]),
        ("names", '["dev", "test"]', ["dev", "test"]),
        ("names", "- dev\n- test", ["dev", "test"]),
        ("names", "dev,\ntest", ["dev", "test"]),
        ("names", "dev, test,\n\nprod\n", ["dev", "test", "prod"]),
        ("names", "dev,test\r\nprod", ["dev", "test", "prod"]),
        ("names", "[1.10, on]", ["1.10", "on"]),
        ("names", "a={x,y},b=1", ["a={x,y}", "b=1"]),
        ("names", "a=x\\,y", ["a=x\\,y"]),
        ("names", ["a,b"], ["a,b"]),
        ("names", 7, ["7"]),
        ("ports", "http2=30080,https=30443", {"http2": "30080", "https": "30443"}),
        ("ports", "http2=30080\nhttps=30443", {"http2": "30080", "https": "30443"}),
        ("ports", "http2: 30080\nhttps: 30443", {"http2": 30080, "https": 30443}),
        ("ports", '{"http2": 30080}', {"http2": 30080}),
        ("ports", "prometheus=50 Gi, grafana = 1Gi", {"prometheus": "50 Gi", "grafana": "1Gi"}),
        ("ports", "http2=30080,\nhttps=30443,", {"http2": "30080", "https": "30443"}),
        ("ports", "http2: 30080, https: 30443", {"http2": 30080, "https": 30443}),
        ("ports", "http2: 30080,\nhttps: 30443", {"http2": 30080, "https": 30443}),
        ("ports", "example.com/a: x,y\nexample.com/b: z", {"example.com/a": "x,y", "example.com/b": "z"}),
        ("ports", "a:\n  b: 1", {"a": {"b": 1}}),
        ("overlays", [{"kind": "IstioOperator"}, "a.yaml"], [{"kind": "IstioOperator"}, "a.yaml"]),
        ("overlays", "a.yaml\nb.yaml", ["a.yaml", "b.yaml"]),
        (
            "overlays",
            "kind: IstioOperator\nspec:\n  tag: '1.10'\n",
            [{"kind": "IstioOperator", "spec": {"tag": "1.10"}}],
        ),
        ("overlays", "---\nkind: A\n---\nkind: B\n", [{"kind": "A"}, {"kind": "B"}]),
        ("overlays", '[{"kind": "A"}, "b.yaml"]', [{"kind": "A"}, "b.yaml"]),
        ("overlays", '{"kind": "A"}', [{"kind": "A"}]),
        ("overlays", ["kind: A\nspec: {}\n", "b.yaml"], [{"kind": "A", "spec": {}}, "b.yaml"]),
        ("units", "name: shop\nsrc: a.yaml, b.yaml\nwait: no", [SHOP]),
        ("units", "name=shop\nname=legacy", [{"name": "shop"}, {"name": "legacy"}]),
        ("units", [{"name": "shop", "src": "a.yaml\nb.yaml", "wait": "no"}], [SHOP]),
        ("units", "- {name: shop, src: [a.yaml, b.yaml], wait: false}", [SHOP]),
    ],
)
def test_text_becomes_what_it_means(name: str, given: Any, meant: Any) -> None:
    assert setting(name, given) == meant


class Tagged(str):
    """Text as ansible-core since 2.19 has it."""


@pytest.mark.parametrize(("name", "given"), [("overlays", "kind: A\n"), ("names", "- dev\n"), ("ports", "a: 1\nb: 2")])
def test_text_of_ansible_s_own_kind_is_read_too(name: str, given: str) -> None:
    assert setting(name, Tagged(given)) == setting(name, given)


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert setting("file", "~/kubeconfig") == "/home/someone/kubeconfig"


def test_what_an_item_leaves_blank_is_left_to_the_module() -> None:
    assert setting("units", [{"name": "shop", "src": "", "wait": None}]) == [{"name": "shop"}]


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("state", "gone", "state must be one of present, absent, but it is 'gone'."),
        ("timeout", "soon", "timeout must be a whole number, but it is 'soon'."),
        ("timeout", True, "timeout must be a whole number, but it is True."),
        ("wait", "perhaps", "wait must be true or false, but it is 'perhaps'."),
        ("version", {"a": 1}, "version must be text, but it is {'a': 1}."),
        (
            "names",
            {"a": 1},
            "names must be a list (one item per line or separated by commas, or a list in YAML or JSON), but it is {'a': 1}.",
        ),
        ("names", [["a"]], "names[0] must be text, but it is ['a']."),
        ("ports", "http2", f"ports must be {MAP}, but it is 'http2'."),
        ("units", [{"src": ["a"]}], "units[0] lacks name, which it must have."),
        ("units", [{"name": "a", "scr": []}], "units[0] has no option scr; did you mean src?"),
        ("units", [{"name": "a", "colour": 1}], "units[0] has no option colour: it is one of name, src, wait."),
        ("units", [{"name": "a", "wait": "soon"}], "units[0].wait must be true or false, but it is 'soon'."),
        ("units", "shop", f"units[0] must be {MAP}, but it is 'shop'."),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(name: str, given: Any, sentence: str) -> None:
    assert complaint(name, given) == sentence


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("overlays", "kind: IstioOperator\nspec: {\n"),
        ("overlays", "[a.yaml, "),
        ("units", "- name: shop\n src: a"),
        ("names", "[dev, "),
        ("ports", "a: {"),
    ],
)
def test_text_that_is_not_readable_is_told_with_its_line_and_the_form(name: str, given: str) -> None:
    sentence = complaint(name, given)
    assert sentence.startswith(f"{name} must be ")
    assert "in YAML or JSON" in sentence
    assert "line " in sentence
    assert "\n" not in sentence


def test_all_mistakes_are_told_at_once() -> None:
    assert len(conform({"timeout": "soon", "wait": "perhaps"}, OPTIONS)["errors"]) == 2


def test_a_required_variable_is_missed() -> None:
    read = conform({}, {"name": {"type": "str", "required": True}})
    assert read["errors"] == ["name is not set, and it must be."]


def test_secrets_are_neither_copied_nor_shown() -> None:
    assert "token" not in conform({"token": "hush"}, OPTIONS)["settings"]
    assert complaint("token", ["hush"]) == "token must be text, but it is something else."


@pytest.mark.parametrize(("given", "meant"), [("12.5", 12.5), (" 3 ", 3.0), (0, 0.0)])
def test_a_number_with_a_fraction(given: Any, meant: float) -> None:
    read = conform({"share": given}, {"share": {"type": "float"}})
    assert read == {"settings": {"share": meant}, "errors": []}


@pytest.mark.parametrize("given", ["many", True])
def test_what_is_no_number(given: Any) -> None:
    (sentence,) = conform({"share": given}, {"share": {"type": "float"}})["errors"]
    assert sentence.startswith("share must be a number, but it is ")


def test_texts_are_yaml_as_kubectl_reads_it() -> None:
    assert setting("ports", "a: 0o640\nb: 1e3\nc: y\nd: 2024-01-01\n") == {
        "a": 416,
        "b": 1000,
        "c": True,
        "d": "2024-01-01",
    }
    assert setting("ports", '{"a": "\\ud83d\\ude80"}') == {"a": "🚀"}


@pytest.mark.parametrize(
    ("name", "text", "fact"),
    [
        ("ports", "a: 1\nb: c: d\n", "line 2"),
        ("ports", "{a: [}", "line 1"),
        ("ports", "{a: " * 5000, "levels deep"),
        ("names", "[" * 5000, "levels deep"),
        ("names", "[a, *b]", "undefined alias"),
        ("ports", "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]" for n in range(1, 9))]), "aliasing"),
    ],
)
def test_a_text_that_is_not_yaml_is_refused_with_the_reason(name: str, text: str, fact: str) -> None:
    sentence = complaint(name, text)
    assert name in sentence
    assert fact in sentence


def test_data_that_is_nested_too_deeply_is_refused() -> None:
    value: Any = "x"
    for _level in range(300):
        value = [value]
    assert "overlays: maps and lists are nested" in complaint("overlays", value)


@pytest.mark.parametrize("kind", ["int", "float"])
@pytest.mark.parametrize("number", ["inf", "-inf", "nan", float("inf")])
def test_numbers_that_are_none_are_refused(kind: str, number: Any) -> None:
    (sentence,) = conform({"timeout": number}, {"timeout": {"type": kind}})["errors"]
    assert sentence.startswith("timeout must be a")
