# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster that a run has looked at is the one that it writes to, whatever becomes of its kubeconfig meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.labs import fresh_lab
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_program
from ansible_collections.meshops.istio.tests.support.steps import Seen

NAMESPACE = Kind("v1", "Namespace")
RESOLVED, PLANNED = "Remove the mesh", "Install the parts that change"
"""Tasks of a site: the first after the cluster is resolved, and the last before the first write."""


@pytest.fixture(scope="module")
def other() -> Iterator[Lab]:
    """Another cluster, of which nothing is wanted."""
    name = f"{os.environ.get('LAB', 'default')}-b"
    with fresh_lab(name, "ARGS=--simulated"):
        yield Lab(name)


@pytest.fixture
def created(cluster: Cluster) -> Iterator[str]:
    """The name of a namespace that a run creates."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    yield name
    with contextlib.suppress(Exception):
        cluster.delete(NAMESPACE, name)


def contexts(current: str, **labs: Lab) -> str:
    """A kubeconfig with a context for each lab."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": current}
    for name, lab in labs.items():
        own = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
        merged.setdefault("clusters", []).append({**own["clusters"][0], "name": name})
        merged.setdefault("users", []).append({**own["users"][0], "name": name})
        merged.setdefault("contexts", []).append({"name": name, "context": {"cluster": name, "user": name}})
    return yaml.safe_dump(merged)


def site(lab: Lab, namespace: str, folder: Path, *, by: str, after: str, becomes: str) -> Run:
    """A site that creates a namespace, whose kubeconfig becomes another one after a task has begun."""
    kubeconfig, log = folder / "config", folder / "log"
    ended = threading.Event()

    def switch() -> None:
        while not ended.wait(0.02):
            if log.exists() and f": {after}]" in log.read_text(encoding="utf-8"):
                (folder / "new").write_text(becomes, encoding="utf-8")
                (folder / "new").replace(kubeconfig)
                return

    variables = {**lab.variables, "mesh_inject_namespaces": [namespace], "mesh_create_namespaces": True}
    variables["mesh_kubeconfig"] = str(kubeconfig) if by == "path" else ""
    (folder / "site.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    environment = {"ANSIBLE_LOG_PATH": str(log), **({"KUBECONFIG": str(kubeconfig)} if by == "environment" else {})}
    switching = threading.Thread(target=switch)
    switching.start()
    try:
        words = ("meshops.istio.site", "--tags", "injection", "-e", f"@{folder / 'site.yml'}")
        return run_program("ansible-playbook", *words, folder=folder, environment=environment)
    finally:
        ended.set()
        switching.join()


@pytest.mark.step("cluster 05a", "kubectl config use-context in another terminal, between look and write")
@pytest.mark.parametrize(("by", "after"), [("path", PLANNED), ("environment", RESOLVED)])
def test_another_current_context_is_not_written_to(
    by: str, after: str, lab: Lab, other: Lab, created: str, cluster: Cluster, tmp_path: Path, seen: Seen
) -> None:
    (tmp_path / "config").write_text(contexts("staging", staging=lab, production=other), encoding="utf-8")
    begun = now()
    switched = contexts("production", staging=lab, production=other)
    run = site(lab, created, tmp_path, by=by, after=after, becomes=switched)
    assert run.returncode == 0, run.text
    assert "production" in (tmp_path / "config").read_text(encoding="utf-8").split("current-context:")[1].split()[0]
    assert cluster.get(NAMESPACE, created) is not None
    right, wrong = lab.writes_since(begun), other.writes_since(begun)
    assert (right > 0, wrong) == (True, 0)
    seen(f"{right} writes at the cluster that was looked at, {wrong} at the other")


@pytest.mark.step("cluster 05b", "a context leads to another cluster, between look and write")
def test_a_context_that_leads_elsewhere_is_refused(
    lab: Lab, other: Lab, created: str, tmp_path: Path, seen: Seen
) -> None:
    (tmp_path / "config").write_text(contexts("staging", staging=lab), encoding="utf-8")
    begun = now()
    run = site(lab, created, tmp_path, by="path", after=PLANNED, becomes=contexts("staging", staging=other))
    assert run.returncode == 2, run.text
    (said,) = run.failures.values()
    assert has_facts(said, "cannot use cluster & not the expected one")
    assert (lab.writes_since(begun), other.writes_since(begun)) == (0, 0)
    seen("refused, 0 writes at either cluster")


@pytest.mark.step("cluster 05c", "mesh_cluster_uid is another cluster's")
def test_a_host_that_is_tied_to_a_cluster(lab: Lab, other: Lab, tmp_path: Path, seen: Seen) -> None:
    system = Cluster.connect({"kubeconfig": other.kubeconfig}, user_agent="tests").get(NAMESPACE, "kube-system")
    assert system is not None
    begun = now()
    words = ("-e", f"@{lab.variables_file}", "-e", f"mesh_cluster_uid={system['metadata']['uid']}")
    run = run_program("ansible-playbook", "meshops.istio.site", *words, folder=tmp_path)
    assert run.returncode == 2, run.text
    assert system["metadata"]["uid"] in next(iter(run.failures.values()))
    assert lab.writes_since(begun) == 0
    seen("refused before the first write")
