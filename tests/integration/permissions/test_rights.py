# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented rights are enough for a whole site, and without any one of them nothing is begun.

On an empty cluster first, then with a mesh: the tests build on each other in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.application import SEARCHED
from ansible_collections.meshops.istio.plugins.module_utils.istio.openshift import PROJECT, PROJECT_REQUEST, ROUTE
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import wait_gone
from ansible_collections.meshops.istio.tests.integration.conftest import Lab, now
from ansible_collections.meshops.istio.tests.integration.permissions.rights import (
    USER,
    Account,
    Right,
    asked_for,
    documented,
)
from ansible_collections.meshops.istio.tests.openshift.stand_in import install_kinds
from ansible_collections.meshops.istio.tests.playbook import Run, run_playbook
from ansible_collections.meshops.istio.tests.unit.modules.running import Run as RunModule
from ansible_collections.meshops.istio.tests.unit.modules.running import run_module

__all__ = ["run_module"]

Object = dict[str, Any]
Try = Callable[..., Object]

OURS, THEIRS = f"{USER}-shop", f"{USER}-stock"
"""The namespace of the application, and one of workloads that are in the cluster before the mesh."""

DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
LABELS = {
    "install.operator.istio.io/owning-resource": "unknown",
    "install.operator.istio.io/owning-resource-namespace": "istio-system",
    "istio.io/rev": "default",
    "operator.istio.io/component": "Cni",
    "operator.istio.io/managed": "Reconcile",
}


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Cluster:
    """The lab's cluster as its administrator, under a name that is not counted with the collection's."""
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture(scope="module", autouse=True)
def account(cluster: Cluster) -> Iterator[Account]:
    """The user whose rights are tried."""
    made = Account(cluster)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def owed() -> list[Right]:
    """The rights that nobody has been refused for yet."""
    return documented()


@pytest.fixture(scope="module")
def play(lab: Lab, account: Account, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Run a playbook as the user."""
    folder = tmp_path_factory.mktemp("rights")
    mesh = {
        **lab.variables,
        "mesh_impersonate_user": USER,
        "mesh_ingress_type": "NodePort",
        "mesh_inject_namespaces": [THEIRS],
        "mesh_create_namespaces": True,
        "mesh_applications": [{"name": "helloworld", "namespace": OURS, "sample": "helloworld"}],
    }

    def run(name: str, **variables: Any) -> Run:
        return run_playbook(f"meshops.istio.{name}", hosts={"one": {**mesh, **variables}}, folder=folder)

    return run


@pytest.fixture(scope="module", autouse=True)
def empty(cluster: Cluster, play: Callable[..., Run]) -> Iterator[None]:
    """A cluster without a mesh, before and after, and with workloads that have no sidecar."""
    names = [Key("v1", "Namespace", "", name) for name in (OURS, THEIRS)]

    def clean() -> None:
        if cluster.list(DEFINITION, label_selector="operator.istio.io/component"):
            everything = {"mesh_purge": True, "mesh_force": True, "mesh_impersonate_user": ""}
            removed = play("uninstall", mesh_uninstall_confirm=True, **everything)
            assert removed.returncode == 0, removed.text
        for key in names:
            cluster.delete(key.of, key.name)
        wait_gone(cluster, names, timeout=120, progress=silent)

    clean()
    cluster.apply(_object("v1", "Namespace", THEIRS, ""), manager="tests")
    for kind in WORKLOADS:
        cluster.apply(_workload(kind, kind.lower(), THEIRS), manager="tests")
    template = _workload("Deployment", "bare", THEIRS)["spec"]["template"]
    cluster.apply(_object("v1", "Pod", "bare", THEIRS, spec=template["spec"]), manager="tests")
    yield
    clean()
    for theirs in (ROUTE, PROJECT, PROJECT_REQUEST):
        cluster.delete(DEFINITION, f"{theirs.kind.lower()}s.{theirs.group}")


@pytest.fixture
def attempt(run_module: RunModule, lab: Lab) -> Try:
    """Ask as the user what a module would do."""

    def run(name: str, /, **options: Any) -> Object:
        return run_module(name, check=True, kubeconfig=lab.kubeconfig, impersonate_user=USER, **options)

    return run


def before_the_mesh(lab: Lab) -> dict[str, Object]:
    """What a site asks the modules before its first write, by their names."""
    release = lab.release
    return {
        "control_plane": {**lab.control_plane, "set": ["components.cni.enabled=true"]},
        "injection": {"namespaces": [OURS], "create_namespaces": True},
        "restart": {"namespaces": [THEIRS], "recreate_pods": True},
        "application": {
            **release, "name": "helloworld", "namespace": OURS, "sample": "helloworld", "create_namespaces": True,
        },
        "control_plane_info": {},
        "injection_info": {},
        "precheck": release,
    }  # fmt: skip


def with_the_mesh(lab: Lab) -> dict[str, Object]:
    """What else is asked where there is one."""
    return {
        "control_plane": {"state": "absent", "purge": True, "force": True},
        "application": {"name": "helloworld", "namespace": OURS, "state": "absent"},
        "injection": {"namespaces": [OURS], "state": "absent"},
        "ingress_info": {},
        "proxy_info": {"timeout": 0},
        "analysis_info": {**lab.release, "fail_on": "never"},
        "addons": {"state": "absent"},
        "openshift": {"projects": ["it-rights-new"], "scc": "anyuid", "scc_namespaces": [THEIRS]},
    }


def refuse(
    attempt: Try, account: Account, owed: list[Right], tasks: Mapping[str, Object], *, otherwise: Iterable[str]
) -> None:
    """Take each right away that is still owed, and let the user try the tasks until one of them is refused.

    They are the tasks that ask for this right; where none does, those named `otherwise`, as istioctl asks unheard.
    """
    needs = {}
    for name, options in tasks.items():
        with asked_for() as asked:
            result = attempt(name, **options)
        assert not result.get("failed"), (name, result["msg"])
        needs[name] = asked
    wrong = []
    for right in list(owed):
        names = [name for name in tasks if right in needs[name]] or list(otherwise)
        account.lose(right)
        for name in names:
            result = attempt(name, **tasks[name])
            if result.get("failed"):
                said = result["msg"]
                if not said.startswith("The user ") or str(right) not in said or "\n" in said:
                    wrong.append((name, str(right), said))
                owed.remove(right)
                break
    account.hold_all()
    assert wrong == []


def test_who_lacks_a_right_is_refused_on_an_empty_cluster(
    attempt: Try, account: Account, owed: list[Right], lab: Lab
) -> None:
    begun = now()
    refuse(attempt, account, owed, before_the_mesh(lab), otherwise=["precheck"])
    assert lab.writes_since(begun) == 0


def test_a_site_needs_no_other_rights(play: Callable[..., Run]) -> None:
    done = play("site")
    assert done.returncode == 0, done.text
    again = play("site")
    assert again.changed["one"] == 0, again.text
    # Its bare pod lacks a sidecar, and whoever looks for it is told so: nothing else is wrong.
    verified = play("verify").failures["one"]
    assert verified == f"1 of 4 pods in {THEIRS} lack it: Pod bare.", verified


@pytest.fixture
def routes(cluster: Cluster, run_module: RunModule, lab: Lab) -> None:
    """Kinds of OpenShift's, with a Route and a grant that are to go, one Route to be another, and one to come."""
    install_kinds(cluster, "Route", "Project", "ProjectRequest")
    plain = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}}
    encrypted = {
        "port": {"number": 443, "name": "tls", "protocol": "TLS"}, "tls": {"mode": "PASSTHROUGH"},
    }  # fmt: skip

    def have(*servers: Object) -> None:
        spec = {"selector": {"istio": "ingressgateway"}, "servers": list(servers)}
        cluster.apply(_object("networking.istio.io/v1", "Gateway", "rights", OURS, spec=spec), manager="tests")

    have({**plain, "hosts": ["old.example.com", "other.example.com"]})
    done = run_module("openshift", kubeconfig=lab.kubeconfig, scc="anyuid", scc_namespaces=[OURS], wait=False)
    assert len(done["routes"]) == 2, done
    have({**plain, "hosts": ["new.example.com"]}, {**encrypted, "hosts": ["other.example.com"]})


@pytest.mark.usefixtures("routes")
def test_who_lacks_a_right_is_refused_where_there_is_a_mesh(
    attempt: Try, account: Account, owed: list[Right], lab: Lab, cluster: Cluster
) -> None:
    # What other configurations have left: it runs nowhere.
    for obj in (
        _labelled(_workload("DaemonSet", "istio-cni-node", "istio-system")),
        _labelled(_object("policy/v1", "PodDisruptionBudget", "left", "istio-system", spec={"minAvailable": 1})),
    ):
        cluster.apply(obj, manager="istio-operator")
    begun = now()
    refuse(attempt, account, owed, with_the_mesh(lab), otherwise=with_the_mesh(lab))
    assert lab.writes_since(begun) == 0
    # Where an application's earlier objects may not be looked for, there are none.
    passed_over = {Right(kind.group, cluster.plural(kind), "list") for kind in SEARCHED}
    assert [str(right) for right in owed if right not in passed_over] == [], "rights that nothing asks for"


def test_a_whole_site_is_refused_before_its_first_write(play: Callable[..., Run], account: Account, lab: Lab) -> None:
    account.lose(Right("coordination.k8s.io", "leases", "create"))
    begun = now()
    done = play("site", mesh_set=["meshConfig.accessLogFile=/dev/stdout"])
    account.hold_all()
    assert "may not create leases.coordination.k8s.io in namespace default: grant" in done.failures["one"]
    assert lab.writes_since(begun) == 0


def test_the_rights_are_enough_to_remove_it_all(play: Callable[..., Run]) -> None:
    done = play("uninstall", mesh_uninstall_confirm=True, mesh_purge=True)
    assert done.returncode == 0, done.text


def _object(api_version: str, kind: str, name: str, namespace: str, **content: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _workload(kind: str, name: str, namespace: str) -> Object:
    labels = {"app": name}
    container = {"name": "main", "image": "docker.io/curlimages/curl:8.16.0", "command": ["/bin/sleep", "3600"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}
    more = {"serviceName": name} if kind == "StatefulSet" else {}
    spec = {"selector": {"matchLabels": labels}, "template": template, **more}
    return _object("apps/v1", kind, name, namespace, spec=spec)


def _labelled(obj: Object) -> Object:
    """An object as an installer of the control plane labels it; its pods fit no node."""
    obj["metadata"]["labels"] = LABELS
    if obj["kind"] == "DaemonSet":
        obj["spec"]["template"]["spec"]["nodeSelector"] = {"it-rights": "nowhere"}
    return obj
