# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented rights are enough for each role and for a whole site, and without any one of them nothing is begun.

On an empty cluster first, then with a mesh: the tests build on each other in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.openshift import (
    PROJECT,
    PROJECT_REQUEST,
    ROUTE,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.integration.modules.monitors import MONITORS, definition
from ansible_collections.meshops.istio.tests.integration.permissions.objects import (
    MESH,
    OURS,
    THEIRS,
    Object,
    bystanders,
    gateway,
    leftovers,
    make,
    maker_of,
    unfinished,
)
from ansible_collections.meshops.istio.tests.integration.permissions.tasks import (
    BESIDE,
    Tasks,
    before_the_mesh,
    with_the_mesh,
)
from ansible_collections.meshops.istio.tests.openshift.stand_in import documents, install_kinds
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run as RunModule
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook
from ansible_collections.meshops.istio.tests.support.rights import (
    USER,
    Account,
    Right,
    asked_for,
    documented,
)

Try = Callable[..., Object]
DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
EVERYTHING = frozenset[Right]().union(*documented().values())


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Cluster:
    """The lab's cluster as its administrator, under a name that is not counted with the collection's."""
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture(scope="module", autouse=True)
def account(cluster: Cluster) -> Iterator[Account]:
    """The user whose rights are tried."""
    made = Account(cluster)
    made.hold(EVERYTHING)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def owed() -> dict[str, set[Right]]:
    """The rights, by their roles, that nobody has been refused for yet."""
    return {role: set(rights) for role, rights in documented().items()}


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
        "mesh_addons": ["prometheus"],
        "mesh_addons_access_logs": "envoy",
        "mesh_applications": [{"name": "helloworld", "namespace": OURS, "sample": "helloworld"}],
    }

    def run(name: str, **variables: Any) -> Run:
        return run_playbook(f"meshops.istio.{name}", hosts={"one": {**mesh, **variables}}, folder=folder)

    return run


@pytest.fixture(scope="module", autouse=True)
def empty(cluster: Cluster, play: Callable[..., Run]) -> Iterator[None]:
    """A cluster without a mesh, before and after, and with workloads that have no sidecar."""
    names = [Key("v1", "Namespace", "", name) for name in (OURS, THEIRS, MESH)]

    def clean() -> None:
        if cluster.list(DEFINITION, label_selector="operator.istio.io/component"):
            everything = {"mesh_purge": True, "mesh_force": True, "mesh_impersonate_user": ""}
            removed = play("uninstall", mesh_uninstall_confirm=True, **everything)
            assert removed.returncode == 0, removed.text
        for key in names:
            cluster.delete(key.of, key.name)
        wait_gone(cluster, names, timeout=120, progress=silent)

    clean()
    install_kinds(cluster, "NetworkAttachmentDefinition")
    for kind in MONITORS:
        cluster.apply(definition(kind), manager="tests")
    for obj in bystanders():
        cluster.apply(obj, manager="tests")
    yield
    clean()
    networks = "network-attachment-definitions.k8s.cni.cncf.io"
    monitors = [Kind("monitoring.coreos.com/v1", kind) for kind in MONITORS]
    named = [f"{theirs.kind.lower()}s.{theirs.group}" for theirs in (ROUTE, PROJECT, PROJECT_REQUEST, *monitors)]
    for name in (networks, *named):
        cluster.delete(DEFINITION, name)
    cluster.delete(Kind("rbac.authorization.k8s.io/v1", "ClusterRole"), "system:openshift:scc:anyuid")


@pytest.fixture
def attempt(run_module: RunModule, lab: Lab) -> Try:
    """Ask as the user what a module would do."""

    def run(name: str, /, **options: Any) -> Object:
        return run_module(name, check=True, kubeconfig=lab.kubeconfig, impersonate_user=USER, **options)

    return run


def refuse(attempt: Try, account: Account, owed: dict[str, set[Right]], tasks: Tasks) -> None:
    """Try each role's tasks with its rights, and those that ask for a right which is still owed without this one."""
    roles, wrong = documented(), []
    for role, tried in tasks.items():
        held = roles[role] | roles.get(BESIDE.get(role, ""), frozenset())
        asking: dict[Right, tuple[str, Object]] = {}
        account.hold(held)
        for name, options in tried:
            with asked_for() as asked:
                result = attempt(name, **options)
            if result.get("failed"):
                wrong.append((role, name, "all", result["msg"]))
            asking |= dict.fromkeys(asked, (name, options))
        for right in sorted(owed[role] & asking.keys()):
            name, options = asking[right]
            account.hold(held - {right})
            result = attempt(name, **options)
            if result.get("failed"):
                owed[role].remove(right)
                said = result["msg"]
                if not said.startswith("The user ") or str(right) not in said or "\n" in said:
                    wrong.append((role, name, str(right), said))
    account.hold(EVERYTHING)
    assert wrong == []


def test_who_lacks_a_right_is_refused_on_an_empty_cluster(
    attempt: Try, account: Account, owed: dict[str, set[Right]], lab: Lab, gateway_api: str
) -> None:
    begun = now()
    refuse(attempt, account, owed, before_the_mesh(lab, gateway_api))
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
    cluster.apply(next(one for one in documents("objects.yml") if one["kind"] == "ClusterRole"), manager="tests")

    def have(spec: Object) -> None:
        cluster.apply(make("networking.istio.io/v1", "Gateway", "rights", OURS, spec=spec), manager="tests")

    have(gateway("old.example.com", "other.example.com"))
    done = run_module("openshift", kubeconfig=lab.kubeconfig, scc="anyuid", scc_namespaces=[OURS], wait=False)
    assert len(done["routes"]) == 2, done
    have(gateway("new.example.com", encrypted="other.example.com"))


@pytest.mark.usefixtures("routes")
def test_who_lacks_a_right_is_refused_where_there_is_a_mesh(
    attempt: Try, account: Account, owed: dict[str, set[Right]], lab: Lab, cluster: Cluster, run_module: RunModule
) -> None:
    run_module("revision_tag", kubeconfig=lab.kubeconfig, **lab.release, name=USER, revision="default")
    for obj in (*leftovers(), *unfinished()):
        cluster.apply(obj, manager=maker_of(obj))
    # What is not in the inventory is searched for only where there is none.
    cluster.delete(Kind("v1", "ConfigMap"), "meshops-istio.addons", MESH)
    account_of_pods = make("v1", "ServiceAccount", "left", OURS)
    helloworld = {"name": "helloworld", "namespace": OURS, "prune": False, "wait": False}
    run_module("application", kubeconfig=lab.kubeconfig, **helloworld, definition=[account_of_pods])
    begun = now()
    refuse(attempt, account, owed, with_the_mesh(lab))
    assert lab.writes_since(begun) == 0
    bind = Right("rbac.authorization.k8s.io", "clusterroles", "bind")
    account.hold(documented()["openshift"] - {bind})
    said = attempt("openshift", scc="anyuid", scc_namespaces=[THEIRS])["msg"]
    assert has_facts(said, "cannot create RoleBinding & forbidden"), said
    assert "'bind'" in said
    account.hold(EVERYTHING)
    owed["openshift"].remove(bind)
    left = {role: sorted(map(str, rights)) for role, rights in owed.items() if rights}
    assert left == {}, "rights that nothing asks for"


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (Right("coordination.k8s.io", "leases", "create"), "create leases.coordination.k8s.io in namespace default"),
        (Right("apps", "statefulsets", "list"), "list statefulsets.apps"),  # which the report needs, in the end
    ],
)
def test_a_whole_site_is_refused_before_its_first_write(
    right: Right, said: str, play: Callable[..., Run], account: Account, lab: Lab
) -> None:
    account.hold(EVERYTHING - {right})
    begun = now()
    parts: Object = {"mesh_addons": [], "mesh_inject_namespaces": [], "mesh_applications": []}
    done = play("site", mesh_set=["meshConfig.accessLogFile=/dev/stdout"], **parts)
    account.hold(EVERYTHING)
    assert has_facts(done.failures["one"], f"forbidden & {said}")
    assert lab.writes_since(begun) == 0


def test_the_rights_are_enough_to_remove_it_all(play: Callable[..., Run]) -> None:
    done = play("uninstall", mesh_uninstall_confirm=True, mesh_purge=True)
    assert done.returncode == 0, done.text
