# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields of the wrong type, and values that are zero, empty or repeated: what Kubernetes means by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

SERVICE = Kind("v1", "Service")
POD = "{containers: [{name: c, image: busybox}]}"


def deployment(labels: str = "{app: web}", pod: str = POD, spec: str = "") -> str:
    template = f"{{metadata: {{labels: {labels}}}, spec: {pod}}}"
    body = spec or f"{{replicas: 0, selector: {{matchLabels: {{app: web}}}}, template: {template}}}"
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {body}\n"


def core(kind: str, **fields: str) -> str:
    body = {"metadata": "{name: web}", **fields}
    return f"apiVersion: v1\nkind: {kind}\n" + "".join(f"{name}: {value}\n" for name, value in body.items())


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (core("ConfigMap", metadata="{name: web, labels: [app=web]}"), ["metadata.labels"]),
        (core("ConfigMap", metadata="{name: web, annotations: a=b}"), ["metadata.annotations"]),
        (core("Service", spec="{ports: [80, 443]}"), ["spec.ports[0]", "spec.ports[1]"]),
        (core("Service", spec="{ports: {port: 80}}"), ["spec.ports"]),
        (core("Secret", data="[{key: s3cret}]"), ["data"]),
        (core("Secret", stringData="s3cret"), ["stringData"]),
        (deployment(spec="text"), ["spec"]),
        (deployment(labels="['app: web']"), ["spec.template.metadata.labels"]),
        (deployment(pod="{containers: {name: c}}"), ["spec.template.spec.containers"]),
        (core("List", items="{kind: ConfigMap}"), ["items"]),
        (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
            "spec: {names: [things], versions: v1}\n",
            ["spec.names", "spec.versions"],
        ),
        ("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: x\n", ["roleRef"]),
        (core("ConfigMap", metadata="&m {name: web, self: *m}"), []),
    ],
    ids=range(13),
)
@pytest.mark.step("shapes 05", "a field of the wrong type")
def test_wrong_types(text: str, fields: list[str], refused: Run, namespace: str, tmp_path: Path, seen: Seen) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text(text)
    failed = refused("application", name="shapes", namespace=namespace, src=[str(file)])
    assert failed["code"] == "invalid_input"
    assert str(file) in failed["msg"]
    assert "s3cret" not in failed["msg"]
    assert all(field in failed["msg"] for field in fields)
    seen(failed["msg"].replace(str(file), "FILE"))


@pytest.mark.step("shapes 05", "a binding without roleRef: the API server's own refusal")
def test_the_api_servers_own_refusal(refused: Run, namespace: str, seen: Seen) -> None:
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "web"}}
    failed = refused("application", name="shapes", namespace=namespace, definition=[binding])
    assert "RoleBinding" in failed["msg"]
    assert "roleRef" in failed["msg"]
    seen(failed["msg"])


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            deployment(labels="{app: web, version: 1.0, sidecar.istio.io/inject: true}"),
            ["labels.version", "istio.io/inject"],
        ),
        (
            core("Service", spec='{selector: {app: web, version: 2}, ports: [{port: "80"}]}'),
            ["selector.version", "ports[0].port"],
        ),
        (
            deployment(
                pod="{terminationGracePeriodSeconds: s3cret, hostUsers: 7, containers: [{name: c, image: a, stdin: 9, tty: 8}]}"
            ),
            ["terminationGracePeriodSeconds", "hostUsers", "stdin", "tty"],
        ),
    ],
)
@pytest.mark.step("shapes 27", "several errors are all shown, without values")
def test_all_errors(text: str, facts: list[str], refused: Run, namespace: str, seen: Seen) -> None:
    message = refused("application", name="shapes", namespace=namespace, definition=[text])["msg"]
    assert all(fact in message for fact in facts), message
    assert "s3cret" not in message
    seen(message)


@pytest.mark.parametrize(
    ("pod", "key"),
    [
        ("{containers: [{name: c, image: a, env: [{name: MODE, value: s3cret}, {name: MODE, value: b}]}]}", "MODE"),
        (
            "{containers: [{name: c, image: a, ports: [{name: a, containerPort: 80}, {name: b, containerPort: 80}]}]}",
            "80",
        ),
        ("{containers: [{name: c, image: a}, {name: c, image: b}]}", "name c"),
        ("{containers: [{name: c, image: a}], hostAliases: [{ip: 10.0.0.1}, {ip: 10.0.0.1}]}", "10.0.0.1"),
    ],
    ids=["env", "ports", "containers", "told-by-the-api-server"],
)
@pytest.mark.step("shapes 30", "list items with the same key: which, and what to do")
def test_repeated_keys(pod: str, key: str, refused: Run, namespace: str, seen: Seen) -> None:
    message = refused("application", name="shapes", namespace=namespace, definition=[deployment(pod=pod)])["msg"]
    for fact in (key, "duplicate", "server-side apply"):
        assert fact in message
    assert "s3cret" not in message
    seen(message)


@pytest.mark.step("shapes 05", "node port 0, empty lists and maps, and the same object twice")
def test_zero_empty_and_repeated(run: Run, idle: Run, namespace: str, cluster: Cluster, seen: Seen) -> None:
    service = core(
        "Service", spec="{type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 0}], externalIPs: []}"
    )
    empty = core("ConfigMap", metadata="{name: empty, labels: , annotations: {}}", data="{}")
    shop: dict[str, Any] = {"name": "shapes", "namespace": namespace, "definition": [service, empty, empty]}
    assert len(run("application", **shop)["changes"]) == 2
    stored = cluster.get(SERVICE, "web", namespace)
    assert stored is not None
    port = stored["spec"]["ports"][0]["nodePort"]
    assert port >= 30000
    idle("application", **shop)
    different = [service, empty, empty.replace("{}", "{a: b}", 1)]
    failed = run("application", fails=True, **{**shop, "definition": different})
    assert "more than once" in failed["msg"]
    seen(f"the Service has node port {port}; twice the same is taken once, twice and different is refused")
