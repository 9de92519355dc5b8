# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples say what there is: variables and options exist and are valid, and pipelines name playbooks and files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.filter.conform import conform

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
VARIABLES = sorted(
    [*EXAMPLES.glob("platforms/*.yml"), *EXAMPLES.rglob("mesh.yml"), *EXAMPLES.rglob("group_vars/all.yml")]
)
INVENTORIES = sorted(EXAMPLES.rglob("clusters.yml"))
PIPELINES = [EXAMPLES / "ci/github-actions.yml", EXAMPLES / "ci/gitlab-ci.yml"]
PLATFORMS = {"aks", "eks", "gke", "k3s", "kind", "minikube", "openshift"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options(role: str) -> dict[str, Any]:
    return dict(read(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"])


def named(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def wrong(variables: Mapping[str, Any]) -> list[str]:
    """What the roles of the variables would refuse: names that they do not have, and values."""
    found: list[str] = []
    for role in sorted({name.partition("_")[0] for name in variables}):
        given = {name: value for name, value in variables.items() if name.startswith(f"{role}_")}
        known = options(role)
        found += [f"{name} is no variable of the role {role}" for name in given if name not in known]
        found += conform(given, known)["errors"]
    return found


def inventories(groups: Mapping[str, Any], inherited: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables of each host."""
    for group in groups.values():
        own = {**inherited, **(group.get("vars") or {})}
        for host in (group.get("hosts") or {}).values():
            yield {**own, **(host or {})}
        yield from inventories(group.get("children") or {}, own)


def test_there_is_a_recipe_for_each_platform() -> None:
    assert {path.stem for path in (EXAMPLES / "platforms").glob("*.yml")} == PLATFORMS
    page = (ROOT / "docs/docsite/rst/guide_install.rst").read_text(encoding="utf-8")
    assert all(f"examples/platforms/{name}.yml" in page for name in PLATFORMS)


@pytest.mark.parametrize("path", VARIABLES, ids=named)
def test_the_roles_accept_the_variables(path: Path) -> None:
    assert wrong(read(path)) == []


@pytest.mark.parametrize("path", INVENTORIES, ids=named)
def test_the_roles_accept_the_variables_of_each_host(path: Path) -> None:
    hosts = list(inventories(read(path), {}))
    assert len(hosts) == 3
    assert [wrong(host) for host in hosts] == [[], [], []]


def test_what_the_roles_do_not_accept_is_found() -> None:
    assert len(wrong({"mesh_profle": "demo", "mesh_ingress_type": "External"})) == 2


@pytest.mark.parametrize("path", VARIABLES, ids=named)
def test_the_commands_in_a_comment_name_playbooks_and_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert missing_playbooks(text) == []
    assert [one for one in re.findall(r"@(examples/\S+)", text) if not (ROOT / one).exists()] == []


@pytest.mark.parametrize("path", PIPELINES, ids=named)
def test_a_pipeline_names_playbooks_variables_and_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert read(path)
    assert missing_playbooks(text) == []
    assert set(re.findall(r"\b(mesh_[a-z_]+)=", text)) <= set(options("mesh"))
    assert (path.parent / "prepare.sh").exists()
    assert text.count("-i clusters.yml") >= 3


def test_each_job_of_the_workflow_gets_the_kubeconfig_from_the_secret_only() -> None:
    workflow = read(PIPELINES[0])
    assert set(workflow["jobs"]) == {"plan", "site", "approved", "verify"}
    for job in workflow["jobs"].values():
        first = next(step for step in job["steps"] if "run" in step)
        assert first["run"] == ". ./prepare.sh"
        assert first["env"] == {"KUBECONFIG_CONTENT": "${{ secrets.KUBECONFIG_CONTENT }}"}
        # What a pull request could set must not become part of a command.
        assert not any("${{" in step.get("run", "") for step in job["steps"])


def test_the_workflow_finds_its_comment_by_the_first_line_of_the_report() -> None:
    from ansible_collections.meshops.istio.plugins.plugin_utils.report.page import as_markdown

    first = as_markdown({}).splitlines()[0]
    assert all(first in path.read_text(encoding="utf-8") for path in PIPELINES)


@pytest.mark.parametrize("task", read(EXAMPLES / "traffic/routes.yml")[0]["tasks"], ids=lambda task: task["name"])
def test_the_options_of_a_task_exist(task: dict[str, Any]) -> None:
    (module,) = set(task) - {"name"}
    source = (ROOT / "plugins/modules" / f"{module.rpartition('.')[2]}.py").read_text(encoding="utf-8")
    assert [name for name in task[module] if f"\n  {name}:\n" not in source and name not in COMMON] == []


COMMON = ("name", "namespace", "state")


def missing_playbooks(text: str) -> list[str]:
    """The playbooks in a text that the collection does not have."""
    names = {
        name
        for line in text.splitlines()
        if "ansible-playbook" in line
        for name in re.findall(r"meshops\.istio\.(\w+)", line)
    }
    return sorted(name for name in names if not (ROOT / "playbooks" / f"{name}.yml").exists())
