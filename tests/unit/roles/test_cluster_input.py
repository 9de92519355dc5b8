# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What meshops.istio.cluster says to input that cannot be meant, with no cluster anywhere near."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.filter.not_importable import not_importable
from ansible_collections.meshops.istio.plugins.inventory.aks import NEEDED
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook, run_program
from ansible_collections.meshops.istio.tests.unit.modules.test_connection_info import clusters, kubeconfig

__all__ = ["clusters"]

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": "east", "context": {"cluster": "one", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "very-secret"}}],
}
PROVIDER = """
- name: Provide a cluster that nobody answers for
  ansible.builtin.set_fact:
    cluster_provided:
      kubeconfig: "{{ own_kubeconfig }}"
      context: "{{ cluster_checked.cluster_name }}"
"""
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "provider": (
        {"cluster_provider": "vagrant"},
        "cluster_provider must be one of ",
    ),
    "state": ({"cluster_state": "gone"}, "cluster_state must be one of present, absent, but it is 'gone'."),
    "nodes": ({"cluster_nodes": "many"}, "cluster_nodes must be a whole number, but it is 'many'."),
    "tasks": (
        {"cluster_provider_tasks": "nowhere/provider.yml"},
        "nowhere/provider.yml of cluster_provider_tasks & not found & relative to the current folder",
    ),
    "removal": (
        {"cluster_state": "absent"},
        "Cannot remove the cluster & provider existing & Nothing was removed & cluster_provider",
    ),
    "context": (
        {"mesh_kubeconfig": "kubeconfig", "mesh_context": "west"},
        "'west' & not found & which has east",
    ),
    "minikube": (
        {"cluster_provider": "minikube", "cluster_minikube_program": "no-minikube"},
        "program no-minikube & not found & install minikube",
    ),
    "unreachable": (
        {"mesh_kubeconfig": "kubeconfig", "mesh_context": "east"},
        "https://127.0.0.1:1 & cannot be reached",
    ),
    "own": (
        {"cluster_provider_tasks": "provider.yml", "cluster_name": "east", "own_kubeconfig": "kubeconfig"},
        "https://127.0.0.1:1 & cannot be reached",
    ),
}


if not_importable(NEEDED):
    BAD["azure"] = (
        {"cluster_provider": "aks"},
        "provider aks & not found & collection azure.azcollection & requirements-azure.txt",
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run, in which each host has its own bad variables."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "kubeconfig").write_text(json.dumps(KUBECONFIG), encoding="utf-8")
    (folder / "provider.yml").write_text(PROVIDER, encoding="utf-8")
    hosts = {name: variables for name, (variables, _) in BAD.items()}
    return run_playbook("meshops.istio.cluster", hosts=hosts, folder=folder, home=folder)


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(run: Run, name: str) -> None:
    sentence = BAD[name][1]
    assert has_facts(run.failures[name], sentence), run.text


def test_each_host_fails_once(run: Run) -> None:
    assert len(run.failures) == len(BAD)
    assert "Finalization of task args" not in run.text
    assert "Traceback" not in run.text


def test_no_secret_is_shown(run: Run) -> None:
    assert "very-secret" not in run.text


def test_the_default_provider_reads_the_cluster_of_kubeconfig(
    clusters: tuple[ApiServer, ApiServer], tmp_path: Path
) -> None:
    api, path = clusters[0], tmp_path / "config"
    path.write_text(json.dumps(kubeconfig(staging=api.url)), encoding="utf-8")
    shown = tmp_path / "show.yml"
    shown.write_text(
        "- import_playbook: meshops.istio.cluster\n"
        "- {hosts: localhost, gather_facts: false, tasks: [{ansible.builtin.debug: {var: cluster_result}}]}\n"
    )
    run = run_program("ansible-playbook", str(shown), folder=tmp_path, environment={"KUBECONFIG": str(path)})
    assert run.returncode == 0, run.text
    assert f'"kubeconfig": "{path}"' in run.text
    assert f'"server": "{api.url}"' in run.text
