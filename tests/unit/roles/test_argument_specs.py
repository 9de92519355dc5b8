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
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.tools.documentation import documentation, fragment
from ansible_collections.meshops.istio.tools.mesh_options import PARTS, REMOVAL
from ansible_collections.meshops.istio.tools.role_options import FETCHING

GIVEN = {"plan_digest", "source", "version"}
"""Options that the module mesh gives to each part: the release that was found, and the approved plan."""
COMPUTED = {"addons": {"assume"}, "application": {"name", "plan_digest"}, "precheck": {"hub"}}
"""Options that the module mesh computes, or that belong to an item of a list."""
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


@pytest.mark.parametrize("module", PARTS)
def test_the_mesh_passes_everything_that_a_module_takes(module: str) -> None:
    (task,) = read(ROLES / "mesh/tasks/steps/mesh.yml")
    passed = set(task["meshops.istio.mesh"][module])
    items = set(options_of("mesh")["mesh_applications"]["options"]) if module == "application" else set()
    known = {*fragment("auth")["options"], *FETCHING, *GIVEN, *REMOVAL, *COMPUTED.get(module, ()), *items}
    assert set(documentation(module)["options"]) - passed - known == set()


def test_every_variable_of_the_mesh_is_used() -> None:
    texts = "".join(
        path.read_text()
        for path in (ROLES / "mesh").rglob("*.yml")
        if path.name != "argument_specs.yml" and path.parent.name != "defaults"
    )
    playbooks = "".join(path.read_text() for path in (ROLES.parent / "playbooks").glob("*.yml"))
    # Those of the default ingress gateway are one entry, for whatever options a gateway has.
    used = texts + playbooks
    assert [name for name in options_of("mesh") if name not in used and not name.startswith("mesh_ingress_")] == []


def test_internal_variables_have_a_prefix_that_users_do_not_use() -> None:
    results = {"mesh_cluster", "mesh_connection", "mesh_result"}
    playbooks = {"mesh_max_fail_percentage", "mesh_serial", "mesh_target_hosts"}
    set_here = re.compile(r"(?:^ *(?:- )?|register: |loop_var: |index_var: )(mesh_\w+)(?::(?: |$)|$)", re.MULTILINE)
    for folder in ("tasks", "vars"):
        for path in (ROLES / "mesh" / folder).rglob("*.yml"):
            assert set(set_here.findall(path.read_text())) - results - playbooks == set(), path
