# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A validating webhook that fails closed with no istiod behind it: named, and reset before what it would block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.support.modules import Run

Object = dict[str, Any]

VALIDATORS = Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
DEPLOYMENT, POD = Kind("apps/v1", "Deployment"), Kind("v1", "Pod")
NAMESPACE = "istio-system"


def policies(cluster: Cluster) -> dict[str, set[str]]:
    """The failure policies of Istio's validating webhooks, by the names of their configurations."""
    found = cluster.list(VALIDATORS, label_selector="istio.io/rev")
    return {one["metadata"]["name"]: {hook["failurePolicy"] for hook in one["webhooks"]} for one in found}


def test_a_dead_validator_is_reset_first(
    plane: Object,
    run: Run,
    idle: Run,
    refused: Run,
    cluster: Cluster,
    namespace: str,
    eventually: Callable[[Callable[[], Any]], Any],
) -> None:
    def closed() -> bool:
        return set().union(*policies(cluster).values()) == {"Fail"}

    run("control_plane", **plane)
    eventually(closed)
    cluster.delete(DEPLOYMENT, "istiod", NAMESPACE)
    pods = cluster.list(POD, NAMESPACE, label_selector="app=istiod")
    keys = [Key("v1", "Pod", NAMESPACE, pod["metadata"]["name"]) for pod in pods]
    wait_gone(cluster, [Key("apps/v1", "Deployment", NAMESPACE, "istiod"), *keys], timeout=300, progress=silent)

    rule = {"hosts": ["shop.example.com"], "http": [{"route": [{"destination": {"host": "shop"}}]}]}
    metadata = {"name": "shop", "namespace": namespace}
    route = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": rule}
    application = {"name": "shop", "namespace": namespace, "definition": [route]}
    blocked = refused("application", **application)
    assert blocked["code"] == "webhook"
    assert f"VirtualService {namespace}/shop" in blocked["msg"]
    assert "validation.istio.io" in blocked["msg"]

    planned = run("control_plane", check=True, diff=True, **plane)
    texts = "".join(one["prepared"] for one in planned["diff"])
    reset = {change["name"] for change in planned["changes"] if change["kind"] == VALIDATORS.kind}
    assert reset == set(policies(cluster))
    assert "-  failurePolicy: Fail\n+  failurePolicy: Ignore\n" in texts

    # Even where istiod does not come back, nothing is blocked any more.
    failed = run("control_plane", fails=True, **plane, tag="no-such-tag", wait_timeout=20)
    assert failed["code"] == "not_ready"
    assert set().union(*policies(cluster).values()) == {"Ignore"}
    run("application", **application)

    run("control_plane", **plane)
    eventually(closed)
    idle("control_plane", **plane)
