# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's argument spec, its defaults, and what the role mesh passes to it, say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.filter import conform as module
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.plugins.module_utils.arguments import CONNECTION, MIRROR, RELEASE
from ansible_collections.meshops.istio.tests.support.documentation import documentation

# The release is fetched once, by the role release; what these two fetch is not in it.
FETCHING = set(RELEASE) - {"source"}
FETCHERS = ("gateway_api", "release")
# An approved plan is approved as a whole, before the first write; tags that are more than names have tasks of their own.
LEFT_OUT = {
    "addons": {"plan_digest"},
    "application": {"plan_digest"},
    "canary": {"plan_digest"},
    "injection": {"plan_digest"},
    "restart": {"plan_digest"},
    "revision_tag": {"plan_digest", "state", "auto_inject_namespaces", "ignore_fields"},
}

# What is done at its own time, by a playbook of its own.
ALONE = ("canary", "cluster", "openshift")
# What goes through files of tasks, of which each does one thing.
STEPWISE = ("cluster", "mesh")

ROLES = Path(__file__).parents[3] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir())


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def options_of(role: str) -> dict[str, dict[str, Any]]:
    options = read(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert isinstance(options, dict)
    return options


def inclusions() -> Iterator[tuple[str, dict[str, Any]]]:
    """Role and variables of each import_role in the role mesh."""
    for path in sorted((ROLES / "mesh" / "tasks").rglob("*.yml")):
        for task in read(path):
            if include := task.get("ansible.builtin.import_role"):
                yield include["name"].rpartition(".")[2], task["vars"]


@pytest.mark.parametrize("role", NAMES)
def test_defaults_are_those_of_the_spec(role: str) -> None:
    defaults = read(ROLES / role / "defaults" / "main.yml")
    expected = {name: option.get("default") for name, option in options_of(role).items() if not option.get("required")}
    assert defaults == expected


@pytest.mark.parametrize("role", NAMES)
def test_variables_carry_their_role_s_prefix_and_are_described(role: str) -> None:
    for name, option in options_of(role).items():
        assert name.startswith(f"{role}_")
        assert option["description"]


def test_the_defaults_of_the_mesh_conform_to_its_spec() -> None:
    defaults = read(ROLES / "mesh" / "defaults" / "main.yml")
    options = options_of("mesh")
    visible = {name: value for name, value in defaults.items() if not options[name].get("no_log")}
    assert conform(defaults, options) == {"settings": visible, "errors": []}


@pytest.mark.parametrize(("role", "variables"), list(inclusions()))
def test_the_mesh_passes_only_what_a_role_takes(role: str, variables: dict[str, Any]) -> None:
    options = options_of(role)
    assert set(variables) <= set(options)
    assert {name for name, option in options.items() if option.get("required")} <= set(variables)


def test_the_mesh_passes_everything_that_a_role_takes() -> None:
    passed: dict[str, set[str]] = {}
    for role, variables in inclusions():
        passed.setdefault(role, set()).update(variables)
    assert passed == {role: set(options_of(role)) for role in NAMES if role not in ("mesh", *ALONE)}


@pytest.mark.parametrize("role", [role for role in NAMES if role not in STEPWISE])
def test_a_role_passes_everything_that_its_modules_take(role: str) -> None:
    for task in read(ROLES / role / "tasks" / "main.yml"):
        for name in (key.removeprefix("meshops.istio.") for key in task if key.startswith("meshops.istio.")):
            if name == "variables":
                continue
            left_out = {*CONNECTION, *({} if role in FETCHERS else FETCHING), *LEFT_OUT.get(name, ())}
            assert set(task[f"meshops.istio.{name}"]) == set(documentation(name)["options"]) - left_out


def test_an_application_of_the_mesh_takes_what_the_module_takes() -> None:
    left_out = {*CONNECTION, *FETCHING, *LEFT_OUT["application"], "state", "version", "source", *MIRROR}
    inner = options_of("mesh")["mesh_applications"]["options"]
    assert set(inner) == set(documentation("application")["options"]) - left_out


def test_no_variable_of_the_roles_own_looks_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(module.display, "warning", warnings.append)
    texts = "".join(path.read_text() for path in (ROLES / "mesh").rglob("*.yml"))
    conform({}, options_of("mesh"), sorted(set(re.findall(r"\bmesh_(?!hosts\b)\w+\b(?!\*)", texts))))
    assert warnings == []


def test_every_variable_of_the_mesh_is_used() -> None:
    texts = "".join(
        path.read_text()
        for path in (ROLES / "mesh").rglob("*.yml")
        if path.name != "argument_specs.yml" and path.parent.name != "defaults"
    )
    playbooks = "".join(path.read_text() for path in (ROLES.parent / "playbooks").glob("*.yml"))
    assert [name for name in options_of("mesh") if name not in texts + playbooks] == []
