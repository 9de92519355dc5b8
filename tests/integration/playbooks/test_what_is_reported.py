# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run reports is what is in the cluster: drift, moves between revisions, what is left over, refusals and causes.

The tests build on each other in this order, because each of them needs what the one before has left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import DEPLOYMENT, NAMESPACE
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

Play = Callable[..., Run]
Object = dict[str, Any]

SHOP, OLD = "it-reported", "it-reported-old"
VIRTUAL_SERVICE = Kind("networking.istio.io/v1", "VirtualService")
DESTINATION_RULE = Kind("networking.istio.io/v1", "DestinationRule")
SERVICE, CONFIG_MAP = Kind("v1", "Service"), Kind("v1", "ConfigMap")
GATEWAY = Key(*SERVICE, "istio-system", "istio-ingressgateway")

SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}}
SUBSETS: Object = {
    "apiVersion": DESTINATION_RULE.api_version,
    "kind": DESTINATION_RULE.kind,
    "metadata": {"name": "helloworld"},
    "spec": {
        "host": "helloworld",
        "subsets": [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")],
    },
}
ROUTE: Object = {
    "apiVersion": VIRTUAL_SERVICE.api_version,
    "kind": VIRTUAL_SERVICE.kind,
    "metadata": {"name": "weighted"},
    "spec": {
        "hosts": ["helloworld"],
        "http": [
            {
                "route": [
                    {"destination": {"host": "helloworld", "subset": "v1"}, "weight": 100},
                    {"destination": {"host": "helloworld", "subset": "v2"}, "weight": 0},
                ]
            }
        ],
    },
}
HELLO = {"name": "helloworld", "namespace": SHOP, "sample": "helloworld", "definition": [SUBSETS, ROUTE]}


@pytest.fixture(scope="module")
def mesh(lab: Lab) -> Object:
    """The variables that stay the same."""
    return {
        **lab.variables,
        "mesh_ingress_type": "NodePort",
        "mesh_inject_namespaces": [SHOP],
        "mesh_create_namespaces": True,
        "mesh_applications": [HELLO],
    }


@pytest.fixture(scope="module")
def play(mesh: Object, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Run a playbook for the mesh, with other variables where they are given."""
    folder = tmp_path_factory.mktemp("reported")

    def run(name: str, *arguments: str, fails: bool = False, **variables: Any) -> Run:
        done = run_playbook(f"meshops.istio.{name}", *arguments, hosts={"one": {**mesh, **variables}}, folder=folder)
        assert (done.returncode != 0) == fails, done.text
        return done

    return run


@pytest.fixture(scope="module", autouse=True)
def installed(play: Play, cluster: Cluster) -> Iterator[None]:
    """A mesh with parts that later variables do not name; no mesh afterwards."""
    settings = {"name": "settings", "namespace": OLD, "definition": [SETTINGS]}
    play(
        "site",
        mesh_inject_namespaces=[SHOP, OLD],
        mesh_applications=[HELLO, settings],
        mesh_revision_tags=["it-old"],
    )
    yield
    play("uninstall", mesh_uninstall_confirm=True, mesh_purge=True, mesh_force=True)
    names = [name for name in (SHOP, OLD, "istio-system") if cluster.delete(NAMESPACE, name)]
    wait_gone(cluster, [Key(*NAMESPACE, "", name) for name in names], timeout=120, progress=silent)


def test_what_is_left_over_is_listed_and_kept(play: Play, lab: Lab) -> None:
    begun = now()
    kept = [
        f"left over application {OLD}/settings",
        f"left over namespace {OLD}",
        "left over revision tag it-old",
    ]
    for playbook in ("site", "verify"):
        lines = [line for line in play(playbook).summary if line.startswith("left over")]
        assert [line.startswith(one) for line, one in zip(lines, kept, strict=True)] == [True, True, True]
        assert all("last applied" in line and "mesh_prune_" in line for line in lines)
    assert lab.writes_since(begun) == 0


def test_what_is_left_over_is_pruned_as_it_was_planned(play: Play, lab: Lab, cluster: Cluster) -> None:
    begun = now()
    plan = play("plan", mesh_prune=True)
    assert "delete ConfigMap it-reported-old/settings" in plan.summary
    assert f"update Namespace {OLD}" in plan.summary
    assert has_facts(
        play("verify", mesh_prune=True, fails=True).failures["one"], f"ConfigMap {OLD}/settings & left over"
    )
    assert lab.writes_since(begun) == 0
    (digest,) = (line.removeprefix("plan digest ") for line in plan.summary if line.startswith("plan digest"))

    done = play("site", mesh_prune=True, mesh_plan_digest=digest)
    assert not any("left over" in line for line in done.summary)
    assert cluster.get(CONFIG_MAP, "settings", OLD) is None
    namespace = cluster.get(NAMESPACE, OLD)
    assert namespace is not None
    assert "istio-injection" not in namespace["metadata"]["labels"]
    begun = now()
    again = play("site", mesh_prune=True)
    assert (again.changed, again.summary[-1]) == ({"one": 0}, "changed nothing")
    assert lab.writes_since(begun) == 0


def test_verify_names_what_differs_from_the_variables(play: Play, cluster: Cluster) -> None:
    assert cluster.delete(DEPLOYMENT, "helloworld-v1", SHOP)
    assert cluster.delete(VIRTUAL_SERVICE, "helloworld", SHOP)
    service = cluster.get(SERVICE, GATEWAY.name, GATEWAY.namespace)
    assert service is not None
    ports = [{name: value for name, value in port.items() if name != "nodePort"} for port in service["spec"]["ports"]]
    patch: Object = {"spec": {"type": "ClusterIP", "ports": ports, "externalTrafficPolicy": None}}
    cluster.merge_patch(SERVICE, GATEWAY.name, GATEWAY.namespace, patch, manager="kubectl-patch")
    run = play("verify", fails=True)
    failed = run.failures["one"]
    assert has_facts(
        failed, f"Deployment {SHOP}/helloworld-v1 is missing & VirtualService {SHOP}/helloworld is missing"
    )
    assert has_facts(failed, f"Service {GATEWAY.namespace}/{GATEWAY.name} is different")
    lines = [line for line in run.summary if "FAILED" in line]
    assert any(f"application {SHOP}/helloworld is as declared" in line for line in lines)
    assert any(f"gateway {GATEWAY.namespace}/{GATEWAY.name} is as declared" in line for line in lines)


def test_a_plan_speaks_of_the_future_and_site_repairs_what_it_named(play: Play) -> None:
    plan = play("plan")
    assert any(line.startswith("plan 2 to create, 1 to update, 0 to delete") for line in plan.summary)
    assert "create Deployment it-reported/helloworld-v1" in plan.summary
    done = play("site")
    assert f"created Deployment {SHOP}/helloworld-v1" in done.summary


def test_a_canary_shows_its_steps_before_it_takes_them(play: Play, lab: Lab) -> None:
    begun = now()
    shown = play(
        "canary",
        "--check",
        "--diff",
        canary_name="weighted",
        canary_namespace=SHOP,
        canary_subset="v2",
        canary_steps=[20, 100],
        canary_answers={"url": "http://127.0.0.1/"},
    )
    assert has_facts(shown.text, "step 1 & 20 & step 2 & 100 & VirtualService it-reported/weighted")
    assert lab.writes_since(begun) == 0


def test_an_image_that_cannot_be_pulled_is_shown_and_ends_the_wait(play: Play, cluster: Cluster) -> None:
    template = {
        "metadata": {"labels": {"app": "broken"}},
        "spec": {"containers": [{"name": "app", "image": "registry.invalid/no/such:1"}]},
    }
    spec = {"selector": {"matchLabels": {"app": "broken"}}, "template": template}
    broken = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "broken"}, "spec": spec}
    application = {"name": "broken", "namespace": SHOP, "definition": [broken]}
    run = play(
        "site", "--tags", "applications", fails=True, mesh_applications=[HELLO, application], mesh_wait_back_off=6
    )
    # A later restart would wait for it.
    cluster.delete(DEPLOYMENT, "broken", SHOP)
    failed = run.last_failures["one"]
    assert has_facts(failed, f"Deployment {SHOP}/broken & registry.invalid/no/such:1")
    assert "Timed out" not in failed
    assert any("waiting for" in line and "Pull" in line for line in run.text.splitlines())


def test_the_table_of_a_fleet_has_the_cause(mesh: Object, lab: Lab, tmp_path: Any) -> None:
    unreachable = {**mesh, "mesh_kubeconfig": None, "mesh_host": "https://127.0.0.1:1"}
    run = run_playbook("meshops.istio.plan", hosts={"one": mesh, "two": unreachable}, folder=tmp_path)
    assert run.returncode == 2
    (row,) = (line for line in run.summary if line.startswith("two error"))
    assert "https://127.0.0.1:1" in row


def test_mistakes_are_refused_before_the_first_write(mesh: Object, lab: Lab, tmp_path: Any) -> None:
    bad: dict[str, tuple[Object, str]] = {
        "name": ({"mesh_applications": [{**HELLO, "name": "Shop_1"}]}, "Shop_1 & lower case"),
        "service": (
            {"mesh_applications": [{**HELLO, "definition": [{**SETTINGS, "metadata": {"name": "Shop_1"}}]}]},
            "ConfigMap & Shop_1",
        ),
        "field": (
            {"mesh_strict": True, "mesh_values": {"meshConfig": {"acessLogFile": "/dev/stdout"}}},
            "acessLogFile",
        ),
        "typo": ({"mesh_profle": "demo"}, "mesh_profle & mesh_profile"),
        "twice": ({"mesh_uninject_namespaces": [SHOP]}, f"{SHOP} & leave"),
    }
    begun = now()
    hosts = {name: {**mesh, **variables} for name, (variables, _facts) in bad.items()}
    run = run_playbook("meshops.istio.site", hosts=hosts, folder=tmp_path)
    assert run.returncode == 2
    for name, (_variables, facts) in bad.items():
        assert has_facts(run.failures[name], facts)
    assert lab.writes_since(begun) == 0


def test_a_move_to_another_revision_is_complete_when_the_proxies_have_moved(play: Play, cluster: Cluster) -> None:
    blue = {"mesh_revision": "blue", "mesh_profile": "minimal", "mesh_ingress_type": ""}
    moved = play("site", **blue, mesh_restart=False)
    assert any(f"namespace {SHOP}" in line and "of another revision" in line for line in moved.summary)
    failed = play("verify", **blue, fails=True)
    assert has_facts(failed.failures["one"], f"pods in {SHOP} have another & Deployment helloworld-v1 & restart")
    done = play("site", **blue)
    assert f"restarted Deployment {SHOP}/helloworld-v1" in done.summary
    lines = play("verify", **blue).summary
    assert f"check ok sidecars in {SHOP} are of revision blue" in lines


def test_a_removal_keeps_what_another_revision_declares(play: Play, lab: Lab) -> None:
    begun = now()
    undeclared = {"mesh_applications": [], "mesh_inject_namespaces": [], "mesh_profile": "default"}
    run = play("uninstall", "--check", **undeclared, mesh_prune=True, mesh_force=True)
    (kept,) = (line for line in run.summary if line.startswith(f"left over application {SHOP}/helloworld"))
    assert "revision blue" in kept
    assert f"delete Deployment {SHOP}/helloworld-v1" not in run.summary
    assert "delete Deployment istio-system/istiod" in run.summary
    assert lab.writes_since(begun) == 0
