# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid variables are refused before a request to a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.action.variables import OLDEST_CORE
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook, run_program

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"mesh_state": "gone"}, "mesh_state must be one of present, absent, but it is 'gone'."),
    "type": (
        {"mesh_ingress_type": "nodeport"},
        "mesh_ingress_type must be one of NodePort, LoadBalancer, ClusterIP, but it is 'nodeport'.",
    ),
    "number": ({"mesh_wait_timeout": "soon"}, "mesh_wait_timeout must be a whole number, but it is 'soon'."),
    "flag": ({"mesh_restart": "perhaps"}, "mesh_restart must be true or false, but it is 'perhaps'."),
    "unit": (
        {"mesh_applications": [{"nmae": "shop"}]},
        "mesh_applications[0] has no option nmae; did you mean name?",
    ),
    "two": (
        {"mesh_values": "pilot", "mesh_purge": "maybe"},
        "mesh_purge must be true or false, but it is 'maybe'.",
    ),
    "namespace": ({"mesh_inject_namespaces": "shop legacy"}, "mesh_inject_namespaces[0] & 'shop legacy'"),
    "application": ({"mesh_applications": [{"name": "Shop_1"}]}, "mesh_applications[0].name & 'Shop_1'"),
    "gateway": (
        {"mesh_ingress": [{"name": "Gate_1", "namespace": "Edge"}]},
        "mesh_ingress[0].name & 'Gate_1' & mesh_ingress[0].namespace & 'Edge'",
    ),
    "tag": ({"mesh_revision_tags": ["Prod"]}, "mesh_revision_tags[0] & 'Prod'"),
    "revision": ({"mesh_revision": "1.29"}, "mesh_revision & '1.29' & 1-29-1"),
    "host": ({"mesh_addons_host": "https://mesh.example.com/"}, "mesh_addons_host & without scheme"),
    "misspelled": ({"mesh_profle": "demo"}, "mesh_profle & Did you mean mesh_profile?"),
    "abbreviated": ({"mesh_inject_ns": ["shop"]}, "mesh_inject_ns & Did you mean mesh_inject_namespaces?"),
    "longer": ({"mesh_istio_version": "1.29.1"}, "mesh_istio_version & Did you mean mesh_version?"),
    "renamed": ({"mesh_hosts": "east"}, "mesh_hosts was renamed & mesh_target_hosts"),
    "latest": ({"mesh_version": "latest"}, "latest"),
    "removal": (
        {"mesh_state": "absent"},
        "Nothing was removed, because mesh_uninstall_confirm is not true. Set it to true to remove the mesh, or add"
        " --check to see what would be removed.",
    ),
}
# As AWX hands over what a survey was answered: everything text, what was left out blank.
SURVEY = {
    "mesh_version": "latest",
    "mesh_profile": "",
    "mesh_ingress_type": "",
    "mesh_ingress_node_ports": "http2=30080\nhttps=30443",
    "mesh_inject_namespaces": "dev\ntest\n",
    "mesh_create_namespaces": "true",
    "mesh_wait_timeout": "600",
    "mesh_overlays": "",
    "mesh_context": "",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run, in which each host has its own invalid variables."""
    folder = tmp_path_factory.mktemp("site")
    hosts = {name: {**variables, "mesh_team": "web"} for name, (variables, _) in BAD.items()} | {"survey": SURVEY}
    run = run_playbook("meshops.istio.site", hosts=hosts, folder=folder, home=folder)
    assert run.returncode == 2, run.text
    return run


@pytest.mark.parametrize("name", BAD)
def test_invalid_variables_are_refused(site: Run, name: str) -> None:
    assert has_facts(site.failures[name], BAD[name][1])


def test_a_variable_of_the_user_is_warned_of_once(site: Run) -> None:
    assert " ".join(site.text.split()).count("mesh_team is not a variable of this collection") == 1


def test_internal_variables_cannot_be_set(tmp_path: Path) -> None:
    extra = ("-e", "__mesh_registry=mirror.example.com", "-e", "mesh_connection={}", "-e", "mesh_result={}")
    run = run_playbook("meshops.istio.site", *extra, hosts={"one": {}}, folder=tmp_path, home=tmp_path)
    assert has_facts(
        run.failures["one"], "__mesh_registry is an internal variable & mesh_connection is an internal variable"
    )
    assert "mesh_result" not in run.failures["one"]


def test_the_text_of_a_survey_is_understood(site: Run) -> None:
    # All of it was read, and only the version is refused.
    assert site.failures["survey"] == site.failures["latest"]


@pytest.mark.parametrize(
    ("playbook", "sentence"),
    [
        ("canary", "Neither canary_subset nor canary_destination is set; set one of them."),
        (
            "application",
            "application_name is not set. Set it to the name that identifies the application in later runs.",
        ),
    ],
)
def test_what_other_playbooks_need_is_asked_for_by_their_own_variables(
    playbook: str, sentence: str, tmp_path: Path
) -> None:
    hosts = {"one": {"canary_name": "reviews"}}
    run = run_playbook(f"meshops.istio.{playbook}", hosts=hosts, folder=tmp_path, home=tmp_path)
    assert run.failures == {"one": sentence}


@pytest.mark.parametrize("playbook", ["site", "cluster", "canary", "openshift"])
def test_an_ansible_core_that_is_too_old_is_refused(playbook: str, tmp_path: Path) -> None:
    # Python reads this before anything else.
    (tmp_path / "sitecustomize.py").write_text("import ansible.release\nansible.release.__version__ = '2.16.3'\n")
    given = {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    run = run_program("ansible-playbook", f"meshops.istio.{playbook}", folder=tmp_path, environment=given)
    assert run.returncode == 2
    (said,) = run.failures.values()
    assert said.startswith("This is ansible-core 2.16.3, and the collection meshops.istio needs 2.17.0 or newer: ")
    assert "-m pip install 'ansible-core>=2.17.0', or run this in an execution environment." in said


def test_the_oldest_ansible_core_is_the_one_of_the_collections_metadata() -> None:
    metadata = yaml.safe_load((Path(__file__).parents[3] / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert metadata["requires_ansible"] == f">={OLDEST_CORE}"
