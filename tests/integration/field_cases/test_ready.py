# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ready: nothing is waited for that cannot come, a second run returns at once, and what does not come is explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

PATIENCE = 40
"""Seconds that each run may wait; one that waits for what cannot come has them all, and fails."""

IMAGE = "docker.io/istio/examples-helloworld-v1:1.0"

TEMPLATE = f"""{{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web, image: {IMAGE}}}]}}}}"""
POD = """{restartPolicy: Never, containers: [
  {name: web, image: "docker.io/curlimages/curl:8.16.0", command: [/bin/sleep, "1"]}]}"""

CLAIMED = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
---
"""
MOUNTING = f"""{{
  metadata: {{labels: {{app: web}}}}, spec: {{
    restartPolicy: POLICY, volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}],
    containers: [{{name: web, image: {IMAGE}, volumeMounts: [{{name: data, mountPath: /data}}]}}]}}}}"""

CURRENT = {
    "a claim of a CronJob": CLAIMED
    + f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: web}}
spec: {{schedule: "0 3 1 1 *", jobTemplate: {{spec: {{template: {MOUNTING.replace("POLICY", "Never")}}}}}}}
""",
    "a claim of a suspended Job": CLAIMED
    + f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: web}}
spec: {{suspend: true, template: {MOUNTING.replace("POLICY", "Never")}}}
""",
    "a claim of a Deployment of none": CLAIMED
    + f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{replicas: 0, selector: {{matchLabels: {{app: web}}}}, template: {MOUNTING.replace("POLICY", "Always")}}}
""",
    "a claim that a pod uses": CLAIMED
    + f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{selector: {{matchLabels: {{app: web}}}}, template: {MOUNTING.replace("POLICY", "Always")}}}
""",
    "a paused Deployment": f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{paused: true, selector: {{matchLabels: {{app: web}}}}, template: {TEMPLATE}}}
""",
    "a suspended Job": f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: web}}
spec: {{suspend: true, template: {{spec: {POD}}}}}
""",
    "a finished Job": f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: web}}
spec: {{template: {{spec: {POD}}}}}
""",
    "workloads of none": f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{replicas: 0, selector: {{matchLabels: {{app: web}}}}, template: {TEMPLATE}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec: {{replicas: 0, selector: {{matchLabels: {{app: web}}}}, template: {TEMPLATE}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template: {TEMPLATE.replace("spec: {", "spec: {nodeSelector: {none: such}, ")}
""",
    "a budget and an autoscaler without a workload": """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
""",
    "Services and an Ingress without an address": """
apiVersion: v1
kind: Service
metadata: {name: elsewhere}
spec: {type: ExternalName, externalName: example.com}
---
apiVersion: v1
kind: Service
metadata: {name: unselected}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {type: LoadBalancer, loadBalancerClass: example.com/none, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {ingressClassName: none, defaultBackend: {service: {name: unselected, port: {number: 80}}}}
""",
}


def documents(text: str) -> list[Object]:
    return list(yaml.safe_load_all(text))


def taken(run: Callable[[], object]) -> float:
    begun = time.monotonic()
    run()
    return time.monotonic() - begun


def note(cluster: Cluster, namespace: str, name: str, status: Object) -> None:
    """Write a status, as a controller does."""
    path = f"/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices/{name}/status"
    cluster.raw("PATCH", path, {"status": status}, content_type="application/merge-patch+json")


@pytest.mark.parametrize("what", CURRENT)
@pytest.mark.step("ready 01", "kinds that have nothing to wait for")
def test_nothing_is_awaited_that_cannot_come(what: str, run: Run, idle: Run, namespace: str, seen: Seen) -> None:
    given = {"name": "it", "namespace": namespace, "definition": documents(CURRENT[what]), "wait_timeout": PATIENCE}
    first = taken(lambda: run("application", **given))
    second = taken(lambda: idle("application", **given))
    seen(f"{what}: ready after {first:.1f} s, the second run ended after {second:.1f} s")


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"observedGeneration": "1"}, id="text"),
        pytest.param({"observedGeneration": 7}, id="stale"),
        pytest.param(
            {"conditions": [{"type": "Reconciled", "status": "False"}], "observedGeneration": "0"}, id="other"
        ),
    ],
)
@pytest.mark.step("ready 02", "what istiod writes into the status of Istio's kinds")
def test_kinds_of_istio_are_not_awaited(
    status: Object, run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen
) -> None:
    route = [{"route": [{"destination": {"host": "nosuch"}}]}]
    ghost = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "ghost"}}
    given = {"name": "it", "namespace": namespace, "wait_timeout": PATIENCE}
    run("application", **given, definition=[{**ghost, "spec": {"hosts": ["ghost.example.com"], "http": route}}])
    note(cluster, namespace, "ghost", status)
    other = [{**ghost, "spec": {"hosts": ["ghost.example.com", "b.example.com"], "http": route}}]
    seconds = taken(lambda: run("application", **given, definition=other))
    again = taken(lambda: idle("application", **given, definition=other))
    seen(f"status {status}: an update ended after {seconds:.1f} s, the second run after {again:.1f} s")


@pytest.mark.parametrize(("command", "fails"), [("/bin/sleep", False), ("/bin/nosuch", True)])
@pytest.mark.step("ready 03", "Jobs that are removed as soon as they have ended")
def test_jobs_with_a_time_to_live(command: str, fails: bool, run: Run, namespace: str, seen: Seen) -> None:
    manifest = documents(CURRENT["a finished Job"])[0]
    manifest["spec"] |= {"ttlSecondsAfterFinished": 0, "backoffLimit": 0}
    manifest["spec"]["template"]["spec"]["containers"][0]["command"][0] = command
    given = {"name": "it", "namespace": namespace, "definition": [manifest], "wait_timeout": PATIENCE}
    # A Job that has started is ready: whoever waits for its end says so.
    wait_for = [{"kind": "Job", "name": "web", "expression": "status.conditions[?type=='Complete'].status | [0]"}]
    done = run("application", fails=fails, **given, wait_for=wait_for)
    seen(done.get("msg") or "done, although the Job was gone")
    assert not fails or "BackoffLimitExceeded" in done["msg"]


@pytest.mark.parametrize(
    ("storage_class", "reason"), [("nosuch", '"nosuch" not found'), ("", "no storage class is set")]
)
@pytest.mark.step("ready 04", "a claim that nothing can bind")
def test_a_claim_says_what_it_waits_for(storage_class: str, reason: str, run: Run, namespace: str, seen: Seen) -> None:
    claim = documents(CLAIMED)[0]
    claim["spec"]["storageClassName"] = storage_class
    given = {"name": "it", "namespace": namespace, "definition": [claim], "wait_timeout": 5}
    failed = run("application", fails=True, **given)
    seen(failed["msg"])
    assert f"PersistentVolumeClaim {namespace}/data" in failed["msg"]
    assert reason in failed["msg"]


@pytest.mark.step("ready 05", "a Deployment that is paused while its roll-out hangs, and resumed")
def test_a_roll_out_that_is_paused(run: Run, idle: Run, namespace: str, seen: Seen) -> None:
    manifest = documents(CURRENT["a paused Deployment"])[0]
    given = {"name": "it", "namespace": namespace, "wait_timeout": PATIENCE}
    manifest["spec"]["paused"] = False
    run("application", **given, definition=[manifest])
    manifest["spec"]["paused"] = True
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/no/such:1"
    seconds = taken(lambda: run("application", **given, definition=[manifest]))
    idle("application", **given, definition=[manifest])
    manifest["spec"]["paused"] = False
    failed = run("application", fails=True, **{**given, "wait_timeout": 8}, definition=[manifest])
    seen(f"paused: ready after {seconds:.1f} s; resumed: {failed['msg']}")
    assert "example.com/no/such:1" in failed["msg"]
