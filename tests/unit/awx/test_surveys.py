# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's surveys and what is beside them under awx/, as data; make awx-check runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.tests.awx import rules
from ansible_collections.meshops.istio.tests.awx.reading import read
from ansible_collections.meshops.istio.tools import awx_surveys as tool

ROOT = Path(__file__).resolve().parents[3]
AWX = ROOT / "awx"
Survey = dict[str, Any]


def options_of(role: str) -> dict[str, Any]:
    options = read(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert isinstance(options, dict)
    return options


SELECTION = read(AWX / "surveys.yml")
SURVEYS: dict[str, Survey] = read(AWX / "configuration/surveys.yml")
TEMPLATES = {one["name"]: one for one in read(AWX / "configuration/templates.yml")["controller_templates"]}
TREES = [ROOT / "awx", ROOT / "playbooks", ROOT / "roles"]


MAPPED: dict[str, tuple[Survey, Survey]] = {
    "text": ({"type": "str", "default": "demo"}, {"type": "text", "default": "demo", "min": 0, "max": 1024}),
    "path": ({"type": "path"}, {"type": "text", "min": 0, "max": 1024}),
    "choice": (
        {"type": "str", "choices": ["", "a", "b"], "default": ""},
        {"type": "multiplechoice", "choices": ["a", "b"]},
    ),
    "yes": ({"type": "bool", "default": True}, {"type": "multiplechoice", "choices": ["true", "false"], "default": "true"}),
    "undecided": ({"type": "bool"}, {"type": "multiplechoice", "choices": ["true", "false"]}),
    "number": ({"type": "int", "default": 300}, {"type": "integer", "default": 300}),
    "fraction": ({"type": "float", "default": 60}, {"type": "float", "default": 60.0}),
    "lines": (
        {"type": "list", "elements": "int", "default": [10, 25]},
        {"type": "textarea", "default": "10\n25", "min": 0, "max": 16384},
    ),
    "several": (
        {"type": "list", "elements": "str", "choices": ["a", "b"], "default": ["a", "b"]},
        {"type": "multiselect", "choices": ["a", "b"], "default": "a\nb"},
    ),
    "secret": ({"type": "str", "no_log": True, "default": "never"}, {"type": "password", "min": 0, "max": 1024}),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPPED)
def test_an_option_is_asked_for_by_its_type(name: str) -> None:
    option, expected = MAPPED[name]
    asked = tool.question("x", {"description": "What it is.", **option})
    rules.check_survey({"name": "", "description": "", "spec": [asked]})
    said = {"question_name", "question_description", "variable", "required"}
    assert {key: value for key, value in asked.items() if key not in said} == expected


def test_a_dictionary_is_refused() -> None:
    for option in ({"type": "dict"}, {"type": "list", "elements": "dict"}):
        with pytest.raises(SystemExit, match="No survey can ask for x, a dictionary"):
            tool.question("x", {"description": "It.", **option})


def test_an_option_of_no_role_is_refused() -> None:
    with pytest.raises(SystemExit, match="asks for mesh_wiat, which the role mesh does not have"):
        tool.survey("site", {"role": "mesh", "description": "", "questions": ["mesh_wiat"]})


@pytest.mark.parametrize("name", SURVEYS)
def test_awx_takes_the_surveys(name: str) -> None:
    rules.check_survey(SURVEYS[name])


def test_each_option_of_the_mesh_is_asked_for_or_left_out_for_a_reason() -> None:
    asked = {one for survey in SELECTION["surveys"].values() for one in survey["questions"]}
    left_out = [one for options in SELECTION["left_out"].values() for one in options]
    options = options_of("mesh")
    unknown = set(left_out) - set(options)
    assert (unknown, set(left_out) & asked) == (set(), set())
    assert {name for name, option in options.items() if tool.askable(option)} - asked - set(left_out) == set()


@pytest.mark.parametrize("name", [name for name, survey in SELECTION["surveys"].items() if survey["role"] == "mesh"])
def test_the_defaults_of_a_survey_are_those_of_the_role(name: str) -> None:
    selected = SELECTION["surveys"][name]
    options, prefix = options_of("mesh"), selected.get("prefix", "")
    options = options[selected["items_of"]]["options"] if "items_of" in selected else options
    answers = {
        one["variable"].removeprefix(prefix): one["default"]
        for one in SURVEYS[f"mesh_survey_{name}"]["spec"]
        if "default" in one
    }
    asked = {one: {**options[one], "required": False} for one in selected["questions"]}
    assert conform(answers, asked) == conform({}, asked)


def test_awx_lists_each_playbook() -> None:
    # An import_playbook with ansible.builtin before it would keep a file from the list.
    playbooks = sorted((AWX / "project").glob("*.yml"))
    assert [path.name for path in playbooks if not rules.PLAYBOOK.search(path.read_text())] == []
    assert {one["playbook"] for one in TEMPLATES.values()} == {path.name for path in playbooks}


def test_what_is_launched_without_a_person_has_no_survey() -> None:
    # AWX sends the defaults of a survey's questions with every launch, over what the inventory says of each cluster.
    (workflow,) = read(AWX / "configuration/workflows.yml")["controller_workflows"]
    launched = {node.get("unified_job_template") for node in workflow["simplified_workflow_nodes"]} - {None}
    launched |= {
        one["unified_job_template"] for one in read(AWX / "configuration/schedules.yml")["controller_schedules"]
    }
    assert launched == {name for name, one in TEMPLATES.items() if not one.get("survey_enabled")}


def test_nothing_asks_or_pauses() -> None:
    asking = re.compile(r"^\s*(- )?(vars_prompt|(ansible\.builtin\.)?pause|prompt):", re.MULTILINE)
    files = [path for tree in TREES for path in tree.rglob("*.yml")]
    assert len(files) > 50
    assert [str(path) for path in files if asking.search(path.read_text(encoding="utf-8"))] == []
