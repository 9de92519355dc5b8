# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles pass on the options of modules: a value that means something is passed, and texts name the role's variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tools.mesh_options import passed
from ansible_collections.meshops.istio.tools.role_options import ROLES, Origin, Role, Variable
from ansible_collections.meshops.istio.tools.yaml_text import WIDTH, as_yaml
from jinja2.nativetypes import NativeEnvironment

OMITTED = "omitted"


@pytest.mark.parametrize(
    ("option", "said", "given", "passed"),
    [
        ("addons.prune", {}, False, False),
        ("addons.tracing_sampling", {}, 0, 0),
        ("addons.tracing_sampling", {}, None, OMITTED),
        ("addons.retention", {}, {}, {}),
        ("addons.allow_anonymous", {}, [], []),
        ("addons.source", {}, [], OMITTED),
        ("addons.version", {}, "", OMITTED),
        ("addons.version", {}, None, OMITTED),
        ("addons.assume", {"default": None}, {}, {}),
        ("addons.assume", {"default": None}, None, OMITTED),
        ("control_plane.set", {"type": "list", "elements": "str", "default": []}, [], []),
        ("injection.namespaces", {}, [], []),
    ],
)
def test_a_value_is_passed_unless_it_means_the_default_of_the_module(
    option: str, said: dict[str, Any], given: Any, passed: Any
) -> None:
    variable = Variable.derived("variable", Origin.parse(option), said)
    assert NativeEnvironment().from_string(variable.argument("")).render(variable=given, omit=OMITTED) == passed


def test_a_dictionary_that_must_have_something_in_it_is_not_empty_by_default() -> None:
    assert "default" not in Variable.derived("canary_prometheus", Origin.parse("canary.prometheus"), {}).option


def test_a_blank_value_is_a_choice_where_a_survey_may_leave_it_out() -> None:
    option = Variable.derived("type", Origin.parse("control_plane.ingress.type"), {"blank": True}).option
    assert (option["choices"][0], option["default"]) == ("", "")


@pytest.mark.parametrize("name", sorted(path.parts[-3] for path in ROLES.glob("*/meta/options.yml")))
def test_descriptions_name_the_variables_of_the_role(name: str) -> None:
    role = Role(name)
    references = set(re.findall(r"\bO\(([a-z_]+)", yaml.safe_dump([v.option for v in role.variables.values()])))
    assert {reference for reference in references - {"meshops"} if reference not in role.variables} == set()


def test_a_reference_is_to_the_nearest_variable() -> None:
    options = {name: yaml.safe_dump(variable.option) for name, variable in Role("mesh").variables.items()}
    assert "O(mesh_ingress[].external_traffic_policy=Local)" in options["mesh_ingress"]
    assert "O(mesh_ingress_external_traffic_policy=Local)" in options["mesh_ingress_azure"]


def completed(*options: str, origin: str) -> str:
    """What the role mesh passes to its module, made from a task that lacks some options, for one variable."""
    path = ROLES / "mesh/tasks/steps/mesh.yml"
    text = re.sub(rf"(?m)^      ({'|'.join(options)}):.*\n", "", path.read_text(encoding="utf-8"))
    return passed({path: text}, lambda option: Role("mesh").argument_for(option) if option == origin else "")[path]


def test_the_mesh_passes_a_new_option_to_its_module() -> None:
    text = completed("values", origin="control_plane.values")
    (task,) = yaml.safe_load(text)
    assert task["meshops.istio.mesh"]["control_plane"]["values"] == "{{ __mesh_checked.mesh_values }}"


def test_options_of_a_removal_are_not_passed_to_the_mesh() -> None:
    assert "purge" not in completed("purge", origin="control_plane.purge")


def test_yaml_is_what_it_was_made_of_within_the_width_of_a_line() -> None:
    value = {
        "text": "Default: V(none), or #1",
        "long": "Every word of it, " * 20 + "no more",
        "items": ["a b: c", "- d", "{{ e }}", "f"],
        "flow": ["", "a", "b, c"],
        "nested": [{"name": "x", "values": {}}, {"name": "y", "values": [1, 2.5, None, False]}],
        "version": "1.29.1",
        "number": "10",
    }
    text = as_yaml(value)
    assert yaml.safe_load(text) == value
    assert max(len(line) for line in text.splitlines()) <= WIDTH
