# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody changed by hand is found and repaired; what controllers write, or others are left to, is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.integration.kube.place import Object, Place, eventually, told
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

WEB = """
apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {level: info, mesh: "a: 1\\nb: 2\\n"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  strategy: {rollingUpdate: {maxSurge: 100%}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {never: "true"}
      containers:
      - name: web
        image: example.com/web
        args: [serve]
        env: [{name: LEVEL, value: info}, {name: MODE, value: fast}]
        resources: {limits: {memory: 1024Mi}}
      volumes: [{name: config, configMap: {name: web}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: $}
webhooks:
- name: guard.example.com
  clientConfig: {url: "https://example.com"}
  sideEffects: None
  failurePolicy: Ignore
  admissionReviewVersions: [v1]
  namespaceSelector: {matchExpressions: [{key: never, operator: In, values: [ever]}]}
"""

CONFIG = ("v1", "ConfigMap", "web")
DEPLOYMENT = ("apps/v1", "Deployment", "web")
SERVICE = ("v1", "Service", "web")
GUARD = ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "$")


def container(**changes: Any) -> Object:
    """A Deployment's body with its container changed."""
    env = [{"name": "LEVEL", "value": "info"}, {"name": "MODE", "value": "fast"}]
    resources = {"limits": {"memory": "1Gi"}}
    one = {"name": "web", "image": "example.com/web", "args": ["serve"], "env": env, "resources": resources, **changes}
    return {"spec": {"template": {"spec": {"containers": [one]}}}}


CHANGES: dict[str, tuple[tuple[str, str, str], Object, str]] = {
    "a value": (CONFIG, {"data": {"level": "debug"}}, "-  level: debug"),
    "a line": (CONFIG, {"data": {"mesh": "a: 1\nb: 3\n"}}, "-    b: 3"),
    "a label": (CONFIG, {"metadata": {"labels": {"app": None}}}, "+  labels:"),
    "a port": (SERVICE, {"spec": {"ports": [{"name": "http", "port": 81}]}}, "-    port: 81"),
    "a volume": (
        DEPLOYMENT,
        {"spec": {"template": {"spec": {"volumes": [{"name": "config", "emptyDir": {}}]}}}},
        "-      - emptyDir: {}",
    ),
    "a strategy": (
        DEPLOYMENT,
        {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}},
        "-    type: Recreate",
    ),
    "replicas": (DEPLOYMENT, {"spec": {"replicas": 3}}, "-  replicas: 3"),
    "an image": (DEPLOYMENT, container(image="example.com/other"), "-        image: example.com/other"),
    "an argument": (DEPLOYMENT, container(args=["serve", "--debug"]), "-        - --debug"),
    "a variable": (DEPLOYMENT, container(env=[{"name": "LEVEL", "value": "info"}]), "+        - name: MODE"),
    "a limit": (DEPLOYMENT, container(resources={"limits": {"memory": "2Gi"}}), "+            memory: 1Gi"),
    "a policy": (
        GUARD,
        {
            "webhooks": [
                {
                    "name": "guard.example.com",
                    "clientConfig": {"url": "https://example.com"},
                    "sideEffects": "None",
                    "failurePolicy": "Fail",
                    "admissionReviewVersions": ["v1"],
                    "namespaceSelector": {"matchExpressions": [{"key": "never", "operator": "In", "values": ["ever"]}]},
                }
            ]
        },
        "-  failurePolicy: Fail",
    ),
}


@pytest.mark.parametrize(("key", "body", "line"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_by_hand_is_shown_and_repaired(
    place: Place, key: tuple[str, str, str], body: Object, line: str
) -> None:
    place.run(WEB)
    [before] = [one for one in place.objects(WEB) if one["kind"] == key[1]]
    was = place.seen(before)
    place.change(*key, body)
    assert place.seen(before) != was

    place.cluster.forget()
    found = place.run(WEB, check=True, diff=True)
    name = key[2].replace("$", place.namespace)
    assert told(found) == [f"update {key[1]} {name}"]
    assert place.cluster.writes == []
    assert line in "\n".join(diff["prepared"] for diff in found.diff).splitlines(), found.diff[0]["prepared"]

    assert told(place.run(WEB)) == told(found)
    assert place.seen(before) == was
    assert told(place.run(WEB)) == []


def test_what_was_deleted_by_hand_comes_back(place: Place) -> None:
    place.run(WEB)
    place.cluster.delete(Kind("v1", "Service"), "web", place.namespace)
    assert told(place.run(WEB)) == ["create Service web"]


def test_what_controllers_write_is_no_drift(place: Place) -> None:
    place.run(WEB)
    eventually(lambda: place.get(*DEPLOYMENT).get("status", {}).get("observedGeneration"), "the Deployment's status")
    place.change(*SERVICE, {"metadata": {"annotations": {"cloud/address": "1"}}}, manager="cloud-controller-manager")
    place.change(*CONFIG, {"data": {"added": "1"}}, manager="another-operator")
    place.cluster.forget()
    assert told(place.run(WEB)) == []
    assert place.cluster.writes == []


def test_a_field_may_be_left_to_its_other_owner(place: Place) -> None:
    place.run(WEB)
    place.change(*DEPLOYMENT, {"spec": {"replicas": 3}}, manager="keda")
    place.change(*DEPLOYMENT, container(resources={"limits": {"memory": "3Gi"}}), manager="vpa")
    place.change(*CONFIG, {"metadata": {"annotations": {"example.com/team": "red"}}}, manager="teams")
    wanted = WEB.replace(
        "labels: {app: web}}\ndata", "labels: {app: web}, annotations: {example.com/team: blue}}\ndata"
    )
    ignored = [
        "Deployment/web:spec.replicas",
        "spec.template.spec.containers[name=web].resources.limits.memory",
        "metadata.annotations.example.com/team",
    ]
    place.cluster.forget()
    # No longer claimed: that is written once, and changes nothing else.
    place.run(wanted, ignore_fields=ignored)
    place.cluster.forget()
    assert told(place.run(wanted, ignore_fields=ignored)) == []
    assert place.cluster.writes == []
    live = place.get(*DEPLOYMENT)
    assert live["spec"]["replicas"] == 3
    assert live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "3Gi"
    assert place.get(*CONFIG)["metadata"]["annotations"]["example.com/team"] == "red"
    # Of the rest nothing is left to others.
    place.change(*DEPLOYMENT, {"spec": {"replicas": 4, "minReadySeconds": 9}}, manager="keda")
    place.change(*CONFIG, {"data": {"level": "debug"}})
    assert told(place.run(wanted, ignore_fields=ignored)) == ["update ConfigMap web"]
    # What another tool has set is no drift.
    with pytest.raises(Refused, match=facts_pattern("conflict & teams & metadata.annotations[example.com/team]")):
        place.run(wanted)
    assert told(place.run(wanted, force=True)) == ["update ConfigMap web", "update Deployment web"]
    assert place.get(*DEPLOYMENT)["spec"]["replicas"] == 1


def test_an_object_of_kubectl_is_ours_when_it_is_wanted(place: Place) -> None:
    [config] = [one for one in place.objects(WEB) if one["kind"] == "ConfigMap"]
    place.cluster.create({**config, "data": {"level": "debug", "theirs": "1"}}, manager="kubectl-create")
    found = place.run(WEB, check=True, diff=True)
    assert "update ConfigMap web" in told(found)
    place.run(WEB)
    assert place.get(*CONFIG)["data"] == {"level": "info", "mesh": "a: 1\nb: 2\n", "theirs": "1"}
