# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking over what other tools have installed: the same objects as if they had been ours from the start."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.tests.integration.kube.place import (
    MANAGER,
    Object,
    Place,
    eventually,
    settled,
    told,
)

# What they have installed: all of ours, and more.
INSTALLED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web, chart: web-1}, annotations: {note: "1"}}
data: {level: debug, old: "1"}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: swordfish, old: forgotten}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: old, port: 81, targetPort: 8081}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {old: "1"}}
spec:
  replicas: 0
  minReadySeconds: 3
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 100%}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{key: old, operator: Exists}]
      containers:
      - name: web
        image: example.com/web
        args: [serve, --old]
        env: [{name: LEVEL, value: info}, {name: OLD, value: "1"}]
        ports: [{containerPort: 8080}, {containerPort: 8081}]
      - name: old
        image: example.com/old
"""

WANTED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {level: info}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: swordfish}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.com/web
        args: [serve]
        env: [{name: LEVEL, value: info}]
        ports: [{containerPort: 8080}]
"""


def kubectl(place: Place, *arguments: str, given: str) -> None:
    found = shutil.which("kubectl")
    if not found:
        pytest.skip("there is no kubectl")
    command = [found, "--namespace", place.namespace, *arguments]
    kubeconfig = os.environ["KUBECONFIG"]
    subprocess.run(
        command, input=given, text=True, check=True, capture_output=True, env={**os.environ, "KUBECONFIG": kubeconfig}
    )


def by_kubectl(place: Place) -> None:
    kubectl(place, "apply", "--server-side=false", "--filename", "-", given=INSTALLED)


def by_kubectl_on_the_server(place: Place) -> None:
    kubectl(place, "apply", "--server-side", "--filename", "-", given=INSTALLED)


def by_istioctl(place: Place) -> None:
    for obj in place.objects(INSTALLED):
        place.cluster.apply(obj, manager="istio-operator")


def by_helm(place: Place) -> None:
    # Helm creates and updates: it has never applied.
    for obj in place.objects(INSTALLED):
        place.cluster.create({**obj, "metadata": {**obj["metadata"], "labels": {"app": "old"}}}, manager="helm")
        kind = Kind(obj["apiVersion"], obj["kind"])
        place.cluster.merge_patch(kind, obj["metadata"]["name"], place.namespace, obj, manager="helm")


REVISION = "deployment.kubernetes.io/revision"
PREVIOUS_MANAGERS = frozenset({"istio-operator", "helm", "kubectl", "kubectl-client-side-apply"})
INSTALLERS = [by_kubectl, by_kubectl_on_the_server, by_istioctl, by_helm]


@pytest.mark.parametrize("install", INSTALLERS)
def test_what_they_installed_becomes_as_if_it_had_been_ours(
    new_place: Callable[[], Place], install: Callable[[Place], None]
) -> None:
    place, fresh = new_place(), new_place()
    install(place)
    planned = place.run(WANTED, previous_managers=PREVIOUS_MANAGERS, check=True, diff=True)
    assert told(planned) == ["update ConfigMap web", "update Secret web", "update Service web", "update Deployment web"]
    shown = "\n".join(diff["prepared"] for diff in planned.diff)
    assert "~ Deployment " in shown
    assert "(update, takeover)" in shown
    gone = [line[1:].strip() for line in shown.splitlines() if line.startswith("-")]
    for line in ("old: '1'", "- name: OLD", "- image: example.com/old", "- --old", "- key: old", "minReadySeconds: 3"):
        assert line in gone
    # Defaults stay, whoever seemed to have set them.
    assert "terminationGracePeriodSeconds: 30" not in gone
    assert "forgotten" not in shown
    assert "swordfish" not in shown

    assert told(place.run(WANTED, previous_managers=PREVIOUS_MANAGERS)) == told(planned)
    fresh.run(WANTED)
    for mine, theirs in zip(place.objects(WANTED), fresh.objects(WANTED), strict=True):
        assert place.seen(mine) == fresh.seen(theirs)
        live = place.get(mine["apiVersion"], mine["kind"], mine["metadata"]["name"])
        managers = {entry["manager"] for entry in live["metadata"]["managedFields"] if not entry.get("subresource")}
        assert managers - {"kube-controller-manager"} == {MANAGER}

    place.cluster.forget()
    assert told(place.run(WANTED, previous_managers=PREVIOUS_MANAGERS)) == []
    assert place.cluster.writes == []


@pytest.mark.parametrize("install", INSTALLERS)
def test_the_same_configuration_restarts_nothing(
    new_place: Callable[[], Place], install: Callable[[Place], None]
) -> None:
    place = new_place()
    install(place)
    wanted = INSTALLED
    if install is by_helm:
        wanted = INSTALLED.replace("metadata: {name: web}", "metadata: {name: web, labels: {app: old}}")
        wanted = wanted.replace("{name: web, annotations: {old:", "{name: web, labels: {app: old}, annotations: {old:")
    eventually(lambda: REVISION in place.get("apps/v1", "Deployment", "web")["metadata"].get("annotations", {}), "it")
    before = place.get("apps/v1", "Deployment", "web")
    place.run(wanted, previous_managers=PREVIOUS_MANAGERS)
    after = place.get("apps/v1", "Deployment", "web")
    assert after["spec"] == before["spec"]
    # A new template is a new revision.
    assert after["metadata"]["annotations"][REVISION] == before["metadata"]["annotations"][REVISION]


@pytest.mark.parametrize("install", INSTALLERS)
def test_the_plan_of_a_take_over_is_what_happens(place: Place, install: Callable[[Place], None]) -> None:
    install(place)
    planned: list[Object] = []

    def note(plan: Plan) -> None:
        planned.extend(change.after for change in plan.changes if change.after)

    place.run(WANTED, previous_managers=PREVIOUS_MANAGERS, checks=note)
    for foreseen in planned:
        live = place.get(foreseen["apiVersion"], foreseen["kind"], "web")
        for one in (foreseen, live):
            one["metadata"]["managedFields"] = []
        assert settled(foreseen, place.namespace) == settled(live, place.namespace)


def test_another_version_of_the_api_is_taken_over_too(place: Place) -> None:
    old = """
    apiVersion: autoscaling/v1
    kind: HorizontalPodAutoscaler
    metadata: {name: web, annotations: {old: "1"}}
    spec:
      maxReplicas: 5
      targetCPUUtilizationPercentage: 80
      scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    """
    new = """
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {name: web}
    spec: {maxReplicas: 5, minReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
    """
    for obj in place.objects(old):
        place.cluster.apply(obj, manager="istio-operator")
    place.run(new, previous_managers=PREVIOUS_MANAGERS)
    live = place.get("autoscaling/v2", "HorizontalPodAutoscaler", "web")
    assert "old" not in (live["metadata"].get("annotations") or {})
    assert live["spec"]["minReplicas"] == 2
    place.cluster.forget()
    assert told(place.run(new, previous_managers=PREVIOUS_MANAGERS)) == []
    assert place.cluster.writes == []
