# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prune: what others have is never deleted, whatever labels it carries, and what is ours is found of whatever kind."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

CONFIG_MAP, SECRET, SERVICE = Kind("v1", "ConfigMap"), Kind("v1", "Secret"), Kind("v1", "Service")
CLAIM, DEPLOYMENT = Kind("v1", "PersistentVolumeClaim"), Kind("apps/v1", "Deployment")
ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute")
INVENTORY = "meshops-istio.application.orders"

SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: b}}"
DATABASE = "{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {password: x}}"
ORDERS = """{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: orders}, spec: {
  accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}"""
FRONT = """{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front}, spec: {
  gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}}"""
OLD_ROUTE = """{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: old}, spec: {
  parentRefs: [{name: front}], rules: [{backendRefs: [{name: web, port: 80}]}]}}"""


def uid_of(cluster: Cluster, key: Key) -> str:
    """The uid of an object; empty where there is none."""
    found = cluster.get(key.of, key.name, key.namespace)
    return str(found["metadata"]["uid"]) if found else ""


def copied(cluster: Cluster, key: Key, *, to: str, name: str = "", managed: bool) -> Key:
    """Create a copy with all labels: as `kubectl apply` does, or with managedFields as a restored backup has them."""
    found = copy.deepcopy(cluster.get(key.of, key.name, key.namespace) or {})
    kept = ("labels", "annotations", *(["managedFields"] if managed else []))
    metadata = {part: found["metadata"][part] for part in kept if part in found["metadata"]}
    spec = {part: value for part, value in found.items() if part not in ("metadata", "status")}
    if key.of == CLAIM:
        spec["spec"].pop("volumeName", None)
    if key.of == SERVICE:
        spec["spec"] = {part: spec["spec"][part] for part in ("ports", "selector")}
    body = {**spec, "metadata": {**metadata, "name": name or key.name, "namespace": to}}
    return key_of(cluster.create(body, manager="kubectl-client-side-apply"))


@pytest.fixture
def other(cluster: Cluster) -> Iterator[str]:
    """Another namespace of the test's own."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="tests")
    yield name
    cluster.delete(Kind("v1", "Namespace"), name)


@pytest.fixture
def routes(run: Run, cluster: Cluster, gateway_api: str) -> Iterator[None]:
    """The Gateway API, for the length of a test."""
    result = run("gateway_api", src=[gateway_api])
    yield
    for change in result["changes"]:
        cluster.delete(Kind(change["api_version"], change["kind"]), change["name"])


@pytest.mark.step("prune 10", "what Istio makes for a Gateway, with its labels, survives each run of the application")
@pytest.mark.parametrize("earlier", [False, True], ids=["with an inventory", "of an earlier release"])
@pytest.mark.parametrize("wait", [True, False], ids=["waiting", "not waiting"])
@pytest.mark.usefixtures("in_mesh", "routes")
def test_gateway(run: Run, idle: Run, cluster: Cluster, namespace: str, seen: Seen, wait: bool, earlier: bool) -> None:
    shop = {"name": "orders", "namespace": namespace, "definition": [FRONT, SETTINGS], "wait_timeout": 60}
    run("application", **shop, wait=False)
    made = [Key(*kind, namespace, "front-istio") for kind in (DEPLOYMENT, SERVICE, Kind("v1", "ServiceAccount"))]
    ends = time.monotonic() + 60
    while not all(uid_of(cluster, key) for key in made) and time.monotonic() < ends:
        time.sleep(0.5)
    before = [uid_of(cluster, key) for key in made]
    assert all(before)
    labels = (cluster.get(DEPLOYMENT, "front-istio", namespace) or {})["metadata"]["labels"]
    assert labels["meshops.istio/application"] == "orders"
    if earlier:
        cluster.delete(CONFIG_MAP, INVENTORY, namespace)
        assert [one["name"] for one in run("application", **shop, wait=wait)["changes"]] == [INVENTORY]
    idle("application", **shop, wait=wait)
    run("application", **shop | {"definition": [FRONT]}, wait=False)
    assert [uid_of(cluster, key) for key in made] == before
    gone = run("application", name="orders", namespace=namespace, state="absent", wait=False)
    seen(f"no write in a second run; absent deletes {sorted(one['kind'] for one in gone['changes'])}")
    assert [one["kind"] for one in gone["changes"]] == ["Gateway"]


@pytest.mark.step("prune 11", "a namespace cloned with its labels loses nothing")
@pytest.mark.parametrize("managed", [False, True], ids=["applied", "restored with managedFields"])
@pytest.mark.parametrize("earlier", [False, True], ids=["with an inventory", "of an earlier release"])
def test_copies(
    run: Run, idle: Run, cluster: Cluster, namespace: str, other: str, seen: Seen, managed: bool, earlier: bool
) -> None:
    shop = {"name": "orders", "namespace": namespace, "wait": False}
    run("application", **shop, definition=[SETTINGS, DATABASE, ORDERS])
    if earlier:
        cluster.delete(CONFIG_MAP, INVENTORY, namespace)
    time.sleep(2.1)  # times are noted by the second
    kinds = {"settings": CONFIG_MAP, "db": SECRET, "orders": CLAIM, INVENTORY: CONFIG_MAP}
    originals = [Key(*kind, namespace, name) for name, kind in kinds.items() if not earlier or name != INVENTORY]
    copies = [copied(cluster, key, to=other, managed=managed) for key in originals]
    copies.append(copied(cluster, originals[1], to=namespace, name="db-copy", managed=managed))
    before = [uid_of(cluster, key) for key in copies]
    first = run("application", **shop, definition=[SETTINGS, DATABASE, ORDERS])
    assert [one["name"] for one in first["changes"]] == ([INVENTORY] if earlier else [])
    idle("application", **shop, definition=[SETTINGS, DATABASE, ORDERS])
    gone = run("application", **shop, state="absent", prune_claims=["orders"])
    assert sorted(one["name"] for one in gone["changes"]) == ["db", "orders", "settings"]
    assert [uid_of(cluster, key) for key in copies] == before
    # An inventory that came with its namespace lists objects that are none of the clone's.
    run("application", **shop, definition=[SETTINGS])
    run("application", **{**shop, "namespace": other}, definition=[DATABASE], force=True)
    assert uid_of(cluster, originals[0])
    seen(f"{len(copies)} copies are left, of {len(copies)}")


@pytest.mark.step("prune 11", "a claim is deleted only by its name, and an annotation keeps an object")
def test_kept(run: Run, idle: Run, cluster: Cluster, namespace: str, seen: Seen) -> None:
    shop = {"name": "orders", "namespace": namespace, "wait": False}
    run("application", **shop, definition=[SETTINGS, DATABASE, ORDERS])
    marks = {"metadata": {"annotations": {"meshops.istio/prune": "disabled"}}}
    cluster.merge_patch(SECRET, "db", namespace, marks, manager="kubectl-annotate")
    kept = idle("application", **shop, definition=[SETTINGS])["kept"]
    seen(", ".join(f"{one['kind']} {one['name']}: {one['reason']}" for one in kept))
    assert sorted(one["name"] for one in kept) == ["db", "orders"]
    run("application", **shop, state="absent")
    assert sorted(one["name"] for one in idle("application", **shop, state="absent")["kept"]) == ["db", "orders"]
    gone = run("application", **shop, state="absent", prune_claims=["orders"])
    assert [one["name"] for one in gone["changes"]] == ["orders"]
    cluster.merge_patch(SECRET, "db", namespace, {"metadata": {"annotations": None}}, manager="kubectl-annotate")
    assert [one["name"] for one in run("application", **shop, state="absent")["changes"]] == ["db"]
    assert not uid_of(cluster, Key(*CONFIG_MAP, namespace, INVENTORY))


@pytest.mark.step("prune 27", "a route of the Gateway API goes when the application no longer contains it")
@pytest.mark.parametrize("how", ["no longer contained", "absent", "its CRD has gone"])
@pytest.mark.usefixtures("routes")
def test_orphans(run: Run, idle: Run, cluster: Cluster, namespace: str, seen: Seen, how: str) -> None:
    shop = {"name": "orders", "namespace": namespace, "wait": False}
    run("application", **shop, definition=[SETTINGS, OLD_ROUTE])
    less: Object = {"state": "absent"} if how == "absent" else {"definition": [SETTINGS]}
    if how == "its CRD has gone":
        cluster.delete(Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"), f"httproutes.{ROUTE.group}")
        ends = time.monotonic() + 30
        while cluster.list(ROUTE) and time.monotonic() < ends:
            time.sleep(0.5)
    gone = run("application", **shop, **less)
    assert cluster.get(ROUTE, "old", namespace) is None
    idle("application", **shop, **less)
    seen(f"{sorted(one['kind'] for one in gone['changes'] if one['action'] == 'delete')} deleted, then no write")


@pytest.mark.step("prune 11", "copies of istiod's objects in another namespace survive the control plane's runs")
@pytest.mark.parametrize("managed", [False, True], ids=["applied", "restored with managedFields"])
@pytest.mark.usefixtures("in_mesh")
def test_copies_of_istiod(
    idle: Run, cluster: Cluster, mesh: Object, other: str, lab: Lab, seen: Seen, managed: bool
) -> None:
    originals = [Key(*kind, "istio-system", "istiod") for kind in (SERVICE, Kind("v1", "ServiceAccount"))]
    copies = [copied(cluster, key, to=other, managed=managed) for key in originals]
    before = [uid_of(cluster, key) for key in copies]
    idle("control_plane", **mesh)
    assert [uid_of(cluster, key) for key in copies] == before
    seen(f"{len(copies)} copies are left, of {len(copies)}")
