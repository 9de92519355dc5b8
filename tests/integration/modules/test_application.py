# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications on the lab: a sample behind the ingress gateway, and what becomes of manifests that change."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

CONFIG_MAP = Kind("v1", "ConfigMap")
CURL = "docker.io/curlimages/curl:8.16.0"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def acts(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["action"], change["name"]) for change in result["changes"]]


def answer(url: str) -> tuple[int, str, str]:
    """Status, server and text of what answers; asked again while the gateway does not know the route yet."""
    for _attempt in range(30):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status, response.headers["server"], response.read().decode()
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"{url} does not answer")


@pytest.mark.usefixtures("in_mesh")
def test_a_sample_answers_behind_the_gateway(run: Run, idle: Run, foretold: Run, namespace: str, lab: Lab) -> None:
    run("injection", namespaces=[namespace])
    hello = {"name": "helloworld", "namespace": namespace, "sample": "helloworld", **lab.release}
    deployed = foretold("application", **hello)
    assert {one["kind"] for one in deployed["objects"]} == {"Deployment", "Gateway", "Service", "VirtualService"}
    gateway = run("ingress_info")
    status, server, text = answer(f"{gateway['urls']['http2']}/hello")
    assert (status, server) == (200, "istio-envoy")
    assert "helloworld-v" in text
    idle("application", **hello)
    gone = foretold("application", name="helloworld", namespace=namespace, state="absent")
    assert sorted(acts(gone)) == sorted(("delete", one["name"]) for one in deployed["objects"])
    idle("application", name="helloworld", namespace=namespace, state="absent")


def test_manifests_that_change(idle: Run, foretold: Run, namespace: str, cluster: Cluster) -> None:
    shop = {"name": "shop", "namespace": namespace}
    first = [config_map("settings", currency="EUR"), config_map("texts", greeting="hello", farewell="bye")]
    assert acts(foretold("application", **shop, definition=first)) == [("create", "settings"), ("create", "texts")]
    idle("application", **shop, definition=first)

    second = [config_map("texts", greeting="hello")]
    changed = foretold("application", **shop, definition=second)
    assert acts(changed) == [("update", "texts"), ("delete", "settings")]
    live = cluster.get(CONFIG_MAP, "texts", namespace)
    assert live is not None
    assert live["data"] == {"greeting": "hello"}
    assert cluster.get(CONFIG_MAP, "settings", namespace) is None


def test_what_kubectl_applied_is_taken_over(foretold: Run, idle: Run, namespace: str, cluster: Cluster) -> None:
    manifest = {**config_map("texts", greeting="hello", farewell="bye")}
    manifest["metadata"] = {"name": "texts", "namespace": namespace}
    cluster.apply(manifest, manager="kubectl")
    foretold("application", name="shop", namespace=namespace, definition=[config_map("texts", greeting="hello")])
    live = cluster.get(CONFIG_MAP, "texts", namespace)
    assert live is not None
    assert live["data"] == {"greeting": "hello"}
    idle("application", name="shop", namespace=namespace, definition=[config_map("texts", greeting="hello")])


def test_jobs_claims_and_conditions_are_waited_for(
    run: Run, idle: Run, namespace: str, gone: Callable[[Key], None]
) -> None:
    container = {
        "name": "work",
        "image": CURL,
        "command": ["/bin/sleep", "1"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    pod = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    definition = [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": {"template": {"spec": pod}}},
    ]
    conditions = [
        {"kind": "PersistentVolumeClaim", "name": "data", "expression": "status.phase == 'Bound'"},
        {"kind": "Job", "name": "work", "expression": "status.succeeded"},
    ]
    options = {
        "name": "work",
        "namespace": namespace,
        "definition": definition,
        "wait_for": conditions,
        "wait_timeout": 120,
    }
    run("application", **options)
    idle("application", **options)
    run("application", name="work", namespace=namespace, state="absent")
    gone(Key("batch/v1", "Job", namespace, "work"))


def test_a_load_balancers_address_is_waited_for_on_request(run: Run, namespace: str, cluster: Cluster) -> None:
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "none"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}, "spec": spec}
    run("application", name="front", namespace=namespace, definition=[service], load_balancer=True, wait_timeout=60)
    live = cluster.get(Kind("v1", "Service"), "front", namespace)
    assert live is not None
    assert live["status"]["loadBalancer"]["ingress"]
