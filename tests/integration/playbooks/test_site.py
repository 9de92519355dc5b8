# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh's life by the playbooks: planned on an empty cluster, brought, verified, kept, and removed.

The tests build on each other in this order, because each of them needs what the one before has left.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone, wait_ready
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

Play = Callable[..., Run]
Object = dict[str, Any]

NAMESPACE = Kind("v1", "Namespace")
DEPLOYMENT = Kind("apps/v1", "Deployment")
POD = Kind("v1", "Pod")

OURS = "it-site"
"""The application's namespace, which does not exist at first."""

THEIRS = "it-site-theirs"
"""Another namespace in the mesh, whose workload is not the site's."""

CONTAINERS = ["helloworld", "istio-init", "istio-proxy"]
"""Of each of the application's pods in the mesh."""


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Cluster:
    """The lab's cluster, under a name that is not counted with the collection's."""
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture(scope="module")
def mesh(lab: Lab) -> Object:
    """The variables of the mesh."""
    return {
        **lab.variables,
        "mesh_profile": "demo",
        "mesh_ingress_type": "NodePort",
        "mesh_inject_namespaces": [OURS],
        "mesh_create_namespaces": True,
        "mesh_applications": [{"name": "helloworld", "namespace": OURS, "sample": "helloworld"}],
    }


@pytest.fixture(scope="module")
def play(mesh: Object, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Run a playbook for the mesh, with other variables where they are given."""
    folder = tmp_path_factory.mktemp("site")

    def run(name: str, *arguments: str, **variables: Any) -> Run:
        return run_playbook(f"meshops.istio.{name}", *arguments, hosts={"one": {**mesh, **variables}}, folder=folder)

    return run


@pytest.fixture(scope="module", autouse=True)
def empty(play: Play, cluster: Cluster) -> Iterator[None]:
    """A cluster without a mesh, before and after."""

    def clean() -> None:
        removed = play("uninstall", mesh_uninstall_confirm=True, mesh_purge=True, mesh_force=True)
        assert removed.returncode == 0, removed.text
        names = [name for name in (OURS, THEIRS, "istio-system") if cluster.delete(NAMESPACE, name)]
        wait_gone(cluster, [Key("v1", "Namespace", "", name) for name in names], timeout=120, progress=silent)

    clean()
    yield
    clean()


def containers(pod: Object) -> set[str]:
    """The names of a pod's containers; a native sidecar is among the init containers."""
    spec = pod["spec"]
    return {one["name"] for one in [*spec["containers"], *spec.get("initContainers", ())]}


def test_check_mode_goes_through_on_an_empty_cluster(play: Play, lab: Lab) -> None:
    begun = now()
    run = play("site", "--check", "--diff")
    assert run.returncode == 0, run.text
    assert run.changed["one"] > 0
    assert "control plane none" in run.summary
    assert f"create Deployment {OURS}/helloworld-v1" in run.summary
    assert "/examples-helloworld-v1:1.0" in run.text
    assert lab.writes_since(begun) == 0


def test_what_cannot_be_done_is_refused_before_the_first_write(mesh: Object, lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("kind: ConfigMap\nkind: Secret\n", encoding="utf-8")
    (tmp_path / "unknown.yaml").write_text(
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfg: {}\n", encoding="utf-8"
    )
    application = {"name": "broken", "namespace": OURS, "src": str(tmp_path / "twice.yaml")}
    exposed = {"mesh_addons": ["prometheus"], "mesh_addons_host": "mesh.test", "mesh_addons_allow_anonymous": "all"}
    bad: dict[str, tuple[Object, list[str]]] = {
        "context": ({"mesh_context": "nowhere"}, ["nowhere"]),
        "cluster": ({"mesh_kubeconfig": None, "mesh_host": "https://127.0.0.1:1"}, ["https://127.0.0.1:1"]),
        "version": ({"mesh_version": "1.0.0"}, ["1.0.0"]),
        "profile": ({"mesh_profile": "demonstration"}, ["demonstration", "ambient", "minimal"]),
        "overlay": ({"mesh_overlays": [str(tmp_path / "unknown.yaml")]}, ["meshConfg", "unknown.yaml"]),
        "namespace": ({"mesh_create_namespaces": False}, [OURS, "not found"]),
        "application": ({"mesh_applications": [application]}, ["twice.yaml", "kind"]),
        "certificate": (
            {**exposed, "mesh_addons_secret": "not-there"},
            ["Secret istio-system/not-there", "not found"],
        ),
        "digest": ({"mesh_plan_digest": "0" * 64}, ["The plan has changed since it was approved"]),
    }
    begun = now()
    hosts = {name: {**mesh, **variables} for name, (variables, _) in bad.items()}
    run = run_playbook("meshops.istio.site", hosts=hosts, folder=tmp_path)
    assert run.returncode == 2
    assert set(run.failures) == set(bad)
    for name, (_, words) in bad.items():
        sentence = run.failures[name]
        assert [word for word in words if word not in sentence] == [], sentence
        assert "\n" not in sentence
    assert set(run.changed.values()) == {0}
    assert lab.writes_since(begun) == 0


def test_the_approved_plan_is_carried_out(play: Play, lab: Lab, cluster: Cluster) -> None:
    begun = now()
    plan = play("plan")
    assert plan.returncode == 0, plan.text
    assert lab.writes_since(begun) == 0
    (digest,) = (line.removeprefix("plan digest ") for line in plan.summary if line.startswith("plan digest"))

    run = play("site", mesh_plan_digest=digest)
    assert run.returncode == 0, run.text
    assert f"control plane {lab.version} revision default healthy" in run.summary
    assert f"namespace {OURS} injection enabled 2 of 2 pods with a sidecar" in run.summary
    assert any(line.startswith("gateway istio-ingressgateway NodePort http://") for line in run.summary)
    assert [sorted(containers(pod)) for pod in cluster.list(POD, OURS)] == [CONTAINERS, CONTAINERS]


def test_both_versions_answer_through_the_gateway(play: Play) -> None:
    run = play("verify")
    assert run.returncode == 0, run.text
    assert "FAILED" not in " ".join(run.summary)
    (line,) = (line for line in run.summary if line.startswith("gateway istio-ingressgateway"))
    url = next(word for word in line.split() if word.startswith("http://")) + "/hello"
    answers = [answer(url) for _ in range(20)]
    assert {status for status, _, _ in answers} == {200}
    assert {server for _, server, _ in answers} == {"istio-envoy"}
    assert {version for _, _, text in answers for version in ("v1", "v2") if f"version: {version}" in text} == {
        "v1",
        "v2",
    }


def answer(url: str) -> tuple[int, str, str]:
    """Status, server and text of one answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.headers["server"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["server"], ""


def test_a_second_run_changes_and_writes_nothing(play: Play, lab: Lab) -> None:
    begun = now()
    run = play("site")
    assert run.returncode == 0, run.text
    assert run.changed == {"one": 0}
    assert run.summary[-1] == "changed nothing"
    assert lab.writes_since(begun) == 0


def test_a_survey_s_text_means_the_same(play: Play, lab: Lab) -> None:
    begun = now()
    survey = {
        "mesh_inject_namespaces": f"{OURS}\n",
        "mesh_create_namespaces": "true",
        "mesh_wait_timeout": "300",
        "mesh_revision": "",
        "mesh_ingress_node_ports": "",
        "mesh_overlays": "\n".join(lab.variables["mesh_overlays"]),
    }
    run = play("site", **survey)
    assert run.returncode == 0, run.text
    assert run.changed == {"one": 0}
    assert lab.writes_since(begun) == 0


def test_the_role_works_in_a_play_of_one_s_own(mesh: Object, lab: Lab, tmp_path: Path) -> None:
    book = tmp_path / "mine.yml"
    roles = [{"role": "meshops.istio.mesh"}]
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": roles}]), encoding="utf-8")
    connection = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    begun = now()
    run = run_playbook(str(book), hosts={"mine": {**mesh, **connection}}, folder=tmp_path)
    assert run.returncode == 0, run.text
    assert run.changed == {"mine": 0}
    assert lab.writes_since(begun) == 0


def test_verify_says_what_does_not_hold(play: Play, lab: Lab) -> None:
    run = play("verify", mesh_version="1.28.3", mesh_inject_namespaces=["default"])
    assert run.returncode == 2
    said = run.failures["one"]
    assert has_facts(said, f"control plane default & of version {lab.version} & mesh_version is 1.28.3")
    assert has_facts(said, "no control plane injects into default")
    # Neither is there a release to plan with.
    assert has_facts(said, "1.28.3 & not found")


def test_a_control_plane_that_is_down_is_found_and_repaired(play: Play, cluster: Cluster) -> None:
    istiod = Key("apps/v1", "Deployment", "istio-system", "istiod")
    assert cluster.delete(DEPLOYMENT, istiod.name, istiod.namespace)
    wait_gone(cluster, [istiod], timeout=60, progress=silent)
    assert "There is no control plane of revision default" in play("verify").failures["one"]
    run = play("site")
    assert run.returncode == 0, run.text
    assert "created Deployment istio-system/istiod" in run.summary


@pytest.fixture
def theirs(cluster: Cluster) -> None:
    """A workload with a sidecar that is not the site's."""
    labels = {"istio-injection": "enabled"}
    cluster.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": THEIRS, "labels": labels}}, manager="tests"
    )
    container = {"name": "a", "image": "docker.io/istio/examples-helloworld-v1:1.0"}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    metadata = {"name": "a", "namespace": THEIRS}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}, manager="tests")
    wait_ready(cluster, [Key("apps/v1", "Deployment", THEIRS, "a")], timeout=120, progress=silent)


def test_removal(theirs: None, play: Play, lab: Lab, cluster: Cluster) -> None:
    begun = now()
    assert "mesh_uninstall_confirm" in play("uninstall").failures["one"]
    assert THEIRS in play("uninstall", mesh_uninstall_confirm="yes").failures["one"]
    checked = play("uninstall", "--check", mesh_force=True)
    assert checked.returncode == 0, checked.text
    assert "delete Deployment istio-system/istiod" in checked.summary
    assert lab.writes_since(begun) == 0

    # Named as one that is to leave the mesh, its workload gets new pods without a sidecar.
    labelled = cluster.list(NAMESPACE, label_selector="istio-injection=enabled")
    leaving = [namespace["metadata"]["name"] for namespace in labelled]
    run = play("uninstall", mesh_uninstall_confirm="yes", mesh_inject_namespaces=leaving)
    assert run.returncode == 0, run.text
    assert "control plane none" in run.summary
    assert cluster.list(DEPLOYMENT, "istio-system") == []
    pods = [pod for pod in cluster.list(POD, THEIRS) if not pod["metadata"].get("deletionTimestamp")]
    assert [containers(pod) for pod in pods] == [{"a"}]

    again = play("uninstall", mesh_uninstall_confirm="yes", mesh_inject_namespaces=leaving)
    assert again.changed == {"one": 0}
