# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three clusters at once from the inventory of contexts, and a fourth that does not answer. The clusters are simulated:
their nodes and pods are only played."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_program

from lab.versions import ISTIO, KUBERNETES

CLUSTERS = ("east", "north", "west")
UNREACHABLE = "south"
INVENTORY = {"plugin": "meshops.istio.contexts", "probe": True}


def lab(name: str, *words: str) -> str:
    command = [sys.executable, "-m", "lab", "--lab", f"many-{name}", *words]
    return subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the inventory, and the labs that it leads to."""
    path = tmp_path_factory.mktemp("many")
    try:
        for name in CLUSTERS:
            lab(name, "up", "--simulated")
        given = {name: yaml.safe_load(Path(lab(name, "kubeconfig")).read_text()) for name in CLUSTERS}
        (path / "kubeconfig").write_text(yaml.safe_dump(merged(given)))
        (path / "meshes.yml").write_text(yaml.safe_dump({**INVENTORY, "kubeconfig": str(path / "kubeconfig")}))
        variables = yaml.safe_load(Path(lab(CLUSTERS[0], "vars")).read_text())
        release = {name: variables[name] for name in ("mesh_version", "mesh_release_source")}
        shop = {"mesh_inject_namespaces": ["shop"], "mesh_create_namespaces": True}
        (path / "mesh.yml").write_text(yaml.safe_dump({**release, **shop}))
        yield path
    finally:
        for name in CLUSTERS:
            lab(name, "down")


def merged(given: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One kubeconfig of several, each context named as its cluster is, and one context of a cluster that is gone."""
    entries: dict[str, list[Any]] = {"clusters": [], "users": [], "contexts": []}
    gone = {"clusters": [{"cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"user": {"token": "none"}}]}
    for name, one in {**given, UNREACHABLE: gone}.items():
        entries["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
        entries["users"].append({"name": name, "user": one["users"][0]["user"]})
        entries["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    return {"apiVersion": "v1", "kind": "Config", **entries}


@pytest.fixture(scope="module")
def before(folder: Path) -> Run:
    return graph(folder)


@pytest.fixture(scope="module")
def site(folder: Path, before: Run) -> Run:
    """One run of site on all of them, in two waves."""
    options = ("-i", "meshes.yml", "-e", "@mesh.yml", "-e", "mesh_serial=2")
    return run_program("ansible-playbook", "meshops.istio.site", *options, folder=folder)


def graph(folder: Path) -> Run:
    return run_program("ansible-inventory", "-i", "meshes.yml", "--graph", folder=folder)


def _group(kind: str, version: str) -> str:
    """The inventory's group of a minor version."""
    return "_".join((kind, *version.split(".")[:2]))


def members(text: str, group: str) -> set[str]:
    """The hosts of a group in what `ansible-inventory --graph` prints."""
    _, _, rest = text.partition(f"|--@{group}:\n")
    inside = [line for line in rest.partition("  |--@")[0].splitlines() if "|  |--" in line]
    return {line.rpartition("|--")[2] for line in inside}


def test_the_graph_shows_clusters_in_groups(before: Run) -> None:
    assert members(before.text, "clusters") == {*CLUSTERS, UNREACHABLE}
    assert members(before.text, "no_mesh") == members(before.text, _group("kubernetes", KUBERNETES)) == set(CLUSTERS)
    assert members(before.text, "unreachable") == {UNREACHABLE}


def test_three_meshes_and_one_summary(site: Run) -> None:
    blocks = [line for line in site.summary if line.endswith(f"(Kubernetes {KUBERNETES})")]
    assert [line.partition(":")[0] for line in blocks] == list(CLUSTERS)
    assert site.summary.count(f"control plane {ISTIO} revision default healthy") == len(CLUSTERS), site.text
    assert site.text.count("east: https://") == 1  # the first wave tells nothing yet
    assert any(has_facts(row, f"{UNREACHABLE} error & Install or update the mesh") for row in site.summary)


def test_a_cluster_that_does_not_answer_fails_alone(site: Run) -> None:
    assert list(site.failures) == [UNREACHABLE], site.text
    assert has_facts(site.failures[UNREACHABLE], "https://127.0.0.1:1 & cannot be reached")
    assert site.returncode == 2


def test_the_graph_shows_the_meshes(site: Run, folder: Path) -> None:
    after = graph(folder)
    assert members(after.text, _group("istio", ISTIO)) == set(CLUSTERS)
    assert members(after.text, "no_mesh") == set()


@pytest.mark.parametrize(
    ("tags", "done"),
    [(("--tags", "injection"), {"stock": "created Namespace stock"}), (("--skip-tags", "injection,addons"), {})],
)
def test_tags_choose_among_the_parts_and_limit_among_the_clusters(
    site: Run, folder: Path, tags: tuple[str, str], done: dict[str, str]
) -> None:
    assert site.changed  # the meshes are there
    options = ("-i", "meshes.yml", "-e", "@mesh.yml", "-e", '{"mesh_inject_namespaces": ["stock"]}', "--limit", "west")
    run = run_program("ansible-playbook", "meshops.istio.site", *options, *tags, folder=folder)
    assert (run.returncode, list(run.changed)) == (0, ["west"]), run.text
    assert ("Label namespaces for injection" in run.text) is ("stock" in done)
    assert [line for line in run.summary if "Namespace" in line] == list(done.values())


def test_a_removal_is_of_the_parts_that_are_chosen(site: Run, folder: Path) -> None:
    assert site.changed  # the meshes are there
    options = ("-i", "meshes.yml", "-e", "@mesh.yml", "-e", "mesh_uninstall_confirm=true", "--limit", "west")
    run = run_program("ansible-playbook", "meshops.istio.uninstall", *options, "--tags", "injection", folder=folder)
    assert (run.returncode, run.changed) == (0, {"west": 1}), run.text
    assert f"control plane {ISTIO} revision default healthy" in run.summary
    assert run.summary[-2:] == ["changed 1 updated", "updated Namespace shop"]
    run = run_program(
        "ansible-playbook",
        "meshops.istio.site",
        *options,
        "-e",
        "mesh_state=absent",
        "--skip-tags",
        "injection",
        folder=folder,
    )
    assert run.returncode == 0, run.text
    assert "control plane none" in run.summary


def test_what_has_no_parts_is_done_whatever_the_tags(site: Run, folder: Path) -> None:
    assert site.changed
    options = ("-i", "meshes.yml", "-e", "@mesh.yml", "--limit", "east", "--tags", "addons")
    verified = run_program(
        "ansible-playbook", "meshops.istio.verify", *options, "-e", "mesh_verify_proxies=false", folder=folder
    )
    assert "check ok the configuration is as Istio's analysis wants it" in verified.summary, verified.text
    cluster = run_program("ansible-playbook", "meshops.istio.cluster", *options, folder=folder)
    assert cluster.returncode == 0, cluster.text
    assert f"context east (Kubernetes {KUBERNETES}" in cluster.text
