# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""awx/configure.yml by awx.awx's own modules, against a stand-in for AWX's API (tests/awx/api.py)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.awx.api import Store, standing_in
from ansible_collections.meshops.istio.tests.support.playbook import Run

AWX = Path(__file__).resolve().parents[2] / "awx"
TOKEN = "token-of-the-tests"
SECRET = "token-in-the-kubeconfig"
pytestmark = pytest.mark.skipif(
    "MESHOPS_PEERS" not in os.environ, reason="MESHOPS_PEERS names no folder with the package ansible"
)
Configure = Callable[..., Run]


@pytest.fixture(scope="module")
def awx() -> Iterator[tuple[str, Store]]:
    with standing_in(AWX / "project", TOKEN) as found:
        yield found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kubeconfig = tmp_path_factory.mktemp("fleet") / "kubeconfig"
    kubeconfig.write_text(f"users: [{{name: me, user: {{token: {SECRET}}}}}]\n")
    return {
        "mesh_awx_project_url": "https://git.example.com/meshes.git",
        "mesh_awx_image": "registry.example.com/mesh:1",
        "mesh_awx_kubeconfig": str(kubeconfig),
        "mesh_awx_webhook": "https://chat.example.com/hook",
    }


@pytest.fixture(scope="module")
def configure(awx: tuple[str, Store], settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Configure:
    """Run awx/configure.yml with these settings, or others."""
    folder = tmp_path_factory.mktemp("configure")

    def run(*arguments: str, token: str = TOKEN, **others: Any) -> Run:
        environment = {**os.environ, "CONTROLLER_HOST": awx[0], "CONTROLLER_OAUTH_TOKEN": token, "ANSIBLE_NOCOLOR": "1"}
        environment |= {"ANSIBLE_COLLECTIONS_PATH": os.environ["MESHOPS_PEERS"], "HOME": str(folder)}
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), "configure.yml", "--extra-vars", json.dumps({**settings, **others}), *arguments]
        done = subprocess.run(command, env=environment, cwd=AWX, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout, done.stderr)

    return run


def test_what_lacks_something_is_refused_before_the_first_write(configure: Configure, awx: tuple[str, Store]) -> None:
    run = configure(mesh_awx_project_url="")
    said = "mesh_awx_project_url is not set; name the repository that holds the content of awx/project."
    assert said in run.text
    assert "because AWX has no credential Mesh clusters yet" in configure(mesh_awx_kubeconfig="").text
    assert "HTTP 401" in configure(token="another").text
    assert awx[1].writes == []


def test_check_mode_writes_nothing(configure: Configure, awx: tuple[str, Store]) -> None:
    # What later parts name is not there yet, so that it ends where the first of them begins.
    assert "changed: [localhost] => (item=Mesh)" in configure("--check").text
    assert awx[1].writes == []


def test_awx_takes_all_of_it_and_a_second_run_changes_nothing(configure: Configure, awx: tuple[str, Store]) -> None:
    first = configure()
    assert first.returncode == 0, first.text
    assert SECRET not in first.text
    store = awx[1]
    written = len(store.writes)
    again = configure()
    assert (again.returncode, again.changed) == (0, {"localhost": 0}), again.text
    assert store.writes[written:] == []


def test_the_workflow_goes_through_the_approval(awx: tuple[str, Store]) -> None:
    store = awx[1]
    nodes = store.objects["workflow_job_template_nodes"]
    follows = {
        nodes[number]["identifier"]: [nodes[other]["identifier"] for other in others]
        for (kind, number, name), others in store.linked.items()
        if kind == "workflow_job_template_nodes" and name == "success_nodes"
    }
    assert follows == {"precheck": ["plan"], "plan": ["approve"], "approve": ["apply"], "apply": ["verify"]}
    (approval,) = store.objects["workflow_approval_templates"].values()
    assert (
        next(node for node in nodes.values() if node["identifier"] == "approve")["unified_job_template"]
        == approval["id"]
    )


def test_what_is_launched_without_a_person_has_no_survey(awx: tuple[str, Store]) -> None:
    # AWX sends the defaults of a survey's questions with every launch, over what the inventory says of each cluster.
    store = awx[1]
    launched = [*store.objects["workflow_job_template_nodes"].values(), *store.objects["schedules"].values()]
    for one in launched:
        template = store.objects["job_templates"].get(one["unified_job_template"])
        assert template is None or not template["survey_enabled"]


def test_secrets_are_only_in_the_credential(awx: tuple[str, Store]) -> None:
    store = awx[1]
    assert SECRET not in json.dumps(
        {kind: list(found.values()) for kind, found in store.objects.items() if kind != "credentials"}
    )
    (kept,) = store.objects["credentials"].values()
    assert SECRET in kept["inputs"]["kubeconfig"]


def test_a_survey_that_awx_would_not_take_is_refused(configure: Configure) -> None:
    bad = {
        "name": "bad",
        "description": "",
        "spec": [{"question_name": "x", "variable": "x", "type": "boolean", "required": True}],
    }
    run = configure(mesh_survey_site=bad)
    assert run.returncode == 2
    assert re.search("'boolean' in survey question 0 is not one of the allowed question types", run.text)
