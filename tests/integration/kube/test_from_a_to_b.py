# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying B over A gives what a fresh B gives, both ways, and a second run writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.tests.integration.kube.place import Object, Place, told

BASE = """
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {team: blue}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{key: a, operator: Exists}]
      containers:
      - name: web
        image: example.com/web
        args: [serve]
        env: [{name: LEVEL, value: info}]
        ports: [{containerPort: 8080}]
        resources: {requests: {cpu: 1000m}}
        volumeMounts: [{name: config, mountPath: /etc/web}]
      volumes: [{name: config, configMap: {name: web}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: $}
webhooks:
- name: one.example.com
  clientConfig: {url: "https://example.com"}
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
  namespaceSelector: {matchLabels: {never: ever}}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]
"""


def more(kind: str, path: str, value: Any) -> str:
    """BASE with a value at `path` (indexes are numbers), or added to the list there."""
    documents = list(yaml.safe_load_all(BASE.replace("$", "NAMESPACE")))
    found = next(document for document in documents if document["kind"] == kind)
    *parents, last = path.split(".")
    for name in parents:
        found = found[int(name)] if isinstance(found, list) else found[name]
    if isinstance(found.get(last), list):
        found[last] = [*found[last], value]
    elif isinstance(found.get(last), dict) and isinstance(value, dict):
        found[last] = {**found[last], **value}
    else:
        found[last] = value
    return yaml.safe_dump_all(documents).replace("NAMESPACE", "$")


CONTAINER = "spec.template.spec.containers.0"
OTHERS = {
    "annotation": more("Deployment", "metadata.annotations", {"note": "1"}),
    "first annotation": more("Service", "metadata.annotations", {"note": "1"}),
    "label": more("Deployment", "metadata.labels", {"tier": "front"}),
    "pod annotation": more("Deployment", "spec.template.metadata.annotations", {"note": "1"}),
    "env": more("Deployment", f"{CONTAINER}.env", {"name": "MORE", "value": "1"}),
    "env of a field": more(
        "Deployment", f"{CONTAINER}.env", {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    ),
    "argument": more("Deployment", f"{CONTAINER}.args", "--verbose"),
    "quantity": more("Deployment", f"{CONTAINER}.resources.requests", {"cpu": "2", "memory": "1024Mi"}),
    "container": more("Deployment", "spec.template.spec.containers", {"name": "log", "image": "example.com/log"}),
    "port of a container": more("Deployment", f"{CONTAINER}.ports", {"containerPort": 15090, "protocol": "TCP"}),
    "mount": more("Deployment", f"{CONTAINER}.volumeMounts", {"name": "config", "mountPath": "/again"}),
    "volume": more("Deployment", "spec.template.spec.volumes", {"name": "scratch", "emptyDir": {}}),
    "toleration": more("Deployment", "spec.template.spec.tolerations", {"key": "b", "operator": "Exists"}),
    "strategy": more("Deployment", "spec.strategy", {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "10%"}}),
    "port": more("Service", "spec.ports", {"name": "https", "port": 443, "targetPort": 8443}),
    "type": more("Service", "spec.type", "NodePort"),
    "webhook": more(
        "MutatingWebhookConfiguration",
        "webhooks",
        {
            "name": "two.example.com",
            "clientConfig": {"url": "https://example.com"},
            "sideEffects": "None",
            "failurePolicy": "Ignore",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": {"matchLabels": {"never": "ever"}},
        },
    ),
    "selector of a webhook": more(
        "MutatingWebhookConfiguration",
        "webhooks.0.objectSelector",
        {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
    ),
}


@pytest.mark.parametrize("backwards", [False, True], ids=["added", "removed"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_b_over_a_is_as_a_fresh_b(new_place: Callable[[], Place], other: str, backwards: bool) -> None:
    before, after = (other, BASE) if backwards else (BASE, other)
    place, fresh = new_place(), new_place()
    place.run(before)
    assert place.run(after).changed
    fresh.run(after)
    for mine, theirs in zip(place.objects(after), fresh.objects(after), strict=True):
        assert place.seen(mine) == fresh.seen(theirs)
    unchanged(place, after)
    unchanged(fresh, after)


def unchanged(place: Place, *manifests: str, **unit: Any) -> None:
    """Nothing is owed, and nothing is written."""
    place.cluster.forget()
    outcome = place.run(*manifests, lock=Lock(f"{place.namespace}-lock"), **unit)
    assert not outcome.changed, told(outcome)
    assert place.cluster.writes == []


AUTOSCALER = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 5, minReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"""


def test_an_autoscaler_is_given_the_replicas_and_gives_them_back(place: Place) -> None:
    by_hand = BASE.replace("replicas: 0", "replicas: 4")
    scaled = BASE.replace("  replicas: 0\n", "")

    def keep(desired: Object, live: Object | None) -> Object:
        if desired["kind"] == "Deployment" and live:
            desired["spec"]["replicas"] = live["spec"]["replicas"]
        return desired

    def replicas() -> int:
        return int(place.get("apps/v1", "Deployment", "web")["spec"]["replicas"])

    def stale(_cluster: Any) -> list[Object]:
        found = place.cluster.list(autoscaler.of, place.namespace)
        return [place.get("apps/v1", "Deployment", "web"), *found]

    [autoscaler] = map(key_of, place.objects(AUTOSCALER))
    place.run(by_hand)
    outcome = place.run(scaled, AUTOSCALER, adjust=keep)
    assert told(outcome) == ["create HorizontalPodAutoscaler web"]
    assert replicas() == 4
    unchanged(place, scaled, AUTOSCALER, adjust=keep)
    outcome = place.run(BASE, stale=stale)
    assert told(outcome) == ["update Deployment web", "delete HorizontalPodAutoscaler web"]
    assert replicas() == 0
    unchanged(place, BASE, stale=stale)


def test_keyed_lists_and_sets_keep_what_others_add(place: Place) -> None:
    place.run(BASE)
    ours = place.get("apps/v1", "Deployment", "web")["spec"]["template"]["spec"]
    body = {
        "metadata": {"annotations": {"theirs": "1"}},
        "spec": {"template": {"spec": {"containers": [*ours["containers"], {"name": "sidecar", "image": "x"}]}}},
    }
    place.change("apps/v1", "Deployment", "web", body, manager="injector")
    unchanged(place, BASE)
    place.run(OTHERS["container"])
    live = place.get("apps/v1", "Deployment", "web")
    containers = [container["name"] for container in live["spec"]["template"]["spec"]["containers"]]
    assert sorted(containers) == ["log", "sidecar", "web"]
    assert live["metadata"]["annotations"]["theirs"] == "1"
    unchanged(place, OTHERS["container"])
