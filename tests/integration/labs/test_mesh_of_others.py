# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh that somebody else has installed, with istioctl: it is verified, and workloads are brought into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.seed import Pod, Seed
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

LABELLED, PLAIN = "it-labelled", "it-plain"
IMAGE = "docker.io/istio/examples-helloworld-v1:1.0"
KIND = {"apiVersion": "networking.istio.io/v1", "metadata": {"name": "it-bad", "namespace": LABELLED}}


@pytest.fixture(scope="module")
def mesh(lab: Lab) -> Iterator[Seed]:
    """What `istioctl install` leaves, and two namespaces, of which somebody has labelled one."""
    verify = Seed(lab, "verify", LABELLED, mesh_inject_namespaces=[LABELLED])
    if verify.kubectl("get", "deployments", "-l", "app=istiod", "-o", "name", namespace="istio-system"):
        pytest.fail("The lab has a mesh already: name another one with LAB.")
    overlays = [word for path in lab.variables["mesh_overlays"] for word in ("-f", path)]
    verify.istioctl("install", "-y", *overlays, "--set", "values.gateways.istio-ingressgateway.type=NodePort")
    for name in (LABELLED, PLAIN):
        verify.kubectl("create", "namespace", name)
    verify.kubectl("label", "namespace", LABELLED, "istio-injection=enabled")
    yield verify
    verify.kubectl("delete", "namespace", LABELLED, PLAIN, "--wait=true")
    verify.istioctl("uninstall", "--purge", "-y")
    verify.kubectl("delete", "namespace", "istio-system", "--wait=true")


@pytest.fixture
def given(mesh: Seed, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Gives the cluster objects, for as long as the test lasts."""
    files: dict[Path, str] = {}

    def give(*objects: Object) -> None:
        for number, obj in enumerate(objects):
            path = tmp_path / f"given-{number}.json"
            path.write_text(json.dumps(obj), encoding="utf-8")
            files[path] = obj["metadata"]["namespace"]
            mesh.kubectl("apply", "-f", str(path), namespace=files[path])

    yield give
    for path, namespace in files.items():
        mesh.kubectl("delete", "-f", str(path), "--wait=true", namespace=namespace)


@pytest.fixture
def run(mesh: Seed, run_module: Run) -> Run:
    """Run a module on the lab; `fails` tells whether it is to fail."""

    def run(name: str, /, *, fails: bool = False, **options: Any) -> Object:
        result = run_module(name, kubeconfig=mesh.lab.kubeconfig, **options)
        assert bool(result.get("failed")) == fails, result
        return result

    return run


def deployment(name: str, namespace: str, **labels: str) -> Object:
    own = {"app": name, **{key.replace("_", "-"): value for key, value in labels.items()}}
    template = {"metadata": {"labels": own}, "spec": {"containers": [{"name": "hello", "image": IMAGE}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
    }


def bare(name: str) -> Object:
    metadata = {"name": name, "namespace": PLAIN, "labels": {"app": name}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "hello", "image": IMAGE}]},
    }


def by_name(pods: list[Pod]) -> dict[str, str]:
    """How many containers of each application's pod are ready."""
    return {pod.labels["app"]: pod.ready for pod in pods}


# --- verify --------------------------------------------------------------------------------------------------------


@pytest.mark.step("verify", "all of a mesh that istioctl has installed holds, and nothing is written")
def test_a_good_mesh(mesh: Seed, given: Callable[..., None], run: Run, seen: Seen) -> None:
    given(deployment("hello", LABELLED))
    mesh.kubectl("rollout", "status", "deployment", "hello", "--timeout=120s")
    since = now()
    played = mesh.play()
    told = run("proxy_info")
    assert mesh.lab.writes_since(since) == 0
    assert "FAILED" not in played.text
    assert [one["state"] for one in told["proxies"]] == ["synced"] * 2
    assert {one["state"] for one in told["certificates"]} == {"valid"}
    assert f"spiffe://cluster.local/ns/{LABELLED}/sa/default" in str(told["certificates"])
    assert f"no label       version  namespace {LABELLED}  hello" in played.text
    seen(f"{played.text.count('check          ok')} checks ok, {len(told['certificates'])} certificates, 0 writes")


@pytest.mark.step("verify", "what Istio's analysis finds fails it, from a level on and unless its code is tolerated")
def test_analysis(mesh: Seed, given: Callable[..., None], seen: Seen) -> None:
    to = {"route": [{"destination": {"host": "nobody"}}]}
    given({**KIND, "kind": "VirtualService", "spec": {"hosts": ["hello"], "http": [to]}})
    said = mesh.play(fails=True).text
    assert "The analysis says: VirtualService it-labelled/it-bad: Referenced host not found" in said
    mesh.play(mesh_verify_analysis_tolerate=["IST0101"])
    mesh.play(mesh_verify_analysis_fail_on="never")
    seen("IST0101 named; tolerated, and without analysis, all holds")


@pytest.mark.step("verify", "a proxy that refuses its configuration is named")
def test_a_proxy_that_is_not_in_sync(mesh: Seed, given: Callable[..., None], seen: Seen) -> None:
    # Istio's webhook lets it pass, and Envoy says no.
    value = {"operation": "MERGE", "value": {"connect_timeout": "-1s"}}
    patch = {"applyTo": "CLUSTER", "match": {"context": "GATEWAY"}, "patch": value}
    spec = {"workloadSelector": {"labels": {"istio": "ingressgateway"}}, "configPatches": [patch]}
    metadata = {"name": "it-bad", "namespace": "istio-system"}
    given({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": metadata, "spec": spec})
    said = mesh.play(fails=True).text
    assert "of 1 proxies have not confirmed their configuration: istio-system/istio-ingressgateway-" in said
    assert "(CDS)" in said
    seen("istio-ingressgateway (CDS)")


@pytest.mark.step("verify", "a gateway's certificate that is about to expire is named")
def test_a_certificate_about_to_expire(mesh: Seed, given: Callable[..., None], tmp_path: Path, seen: Seen) -> None:
    pair = make_certificate(tmp_path, "shop.test", age=timedelta(days=360), left=timedelta(days=5))
    files = dict(zip(("tls.crt", "tls.key"), (path.read_text(encoding="utf-8") for path in pair), strict=True))
    metadata = {"name": "it-shop", "namespace": "istio-system"}
    tls = {"mode": "SIMPLE", "credentialName": "it-shop"}
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["shop.test"], "tls": tls}
    given(
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "stringData": files},
        {
            **KIND,
            "kind": "Gateway",
            "metadata": metadata,
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]},
        },
    )
    said = mesh.play(fails=True).text
    assert "Not all certificates are valid for long enough: shop.test of istio-system/istio-ingressgateway-" in said
    mesh.play(mesh_verify_certificate_days=3)
    seen("shop.test, with 5 days left of a year; with mesh_verify_certificate_days=3 all holds")


# --- injection -----------------------------------------------------------------------------------------------------


@pytest.mark.step("injection", "by workload: one in a namespace without a label, and one that has opted out")
def test_by_workload(mesh: Seed, given: Callable[..., None], run: Run, seen: Seen) -> None:
    given(
        deployment("into", PLAIN, **{"sidecar.istio.io/inject": "true"}),
        deployment("beside", PLAIN),
        deployment("out", LABELLED, **{"sidecar.istio.io/inject": "false"}),
    )
    for name, namespace in (("into", PLAIN), ("beside", PLAIN), ("out", LABELLED)):
        mesh.kubectl("rollout", "status", "deployment", name, "--timeout=120s", namespace=namespace)
    found = by_name([*mesh.pods(namespace=PLAIN), *mesh.pods("app=out")])
    assert found == {"into": "2/2", "beside": "1/1", "out": "1/1"}
    told = run("injection_info", namespaces=[LABELLED, PLAIN])
    restarted = run("restart", namespaces=[LABELLED, PLAIN], outdated=True)
    assert (told["workloads"], restarted["changed"], restarted["reported"]) == ([], False, [])
    seen(f"{', '.join(f'{name} {ready}' for name, ready in found.items())}; nothing to restart")


@pytest.mark.step("injection", "labels that contradict are refused before the first write")
def test_labels_that_contradict(mesh: Seed, run: Run, seen: Seen) -> None:
    since = now()
    refused = run("injection", namespaces=[LABELLED], mode="revision", revision="canary", fails=True)
    mesh.kubectl("label", "namespace", PLAIN, "istio.io/rev=canary")
    play = Seed(mesh.lab, "site", PLAIN, mesh_inject_namespaces=[PLAIN], mesh_force=False)
    said = play.play(fails=True).text
    assert mesh.lab.writes_since(since) == 0
    mesh.kubectl("label", "namespace", PLAIN, "istio.io/rev-")
    assert (
        "istio-injection=enabled, which somebody else has set and which contradicts istio.io/rev=canary"
        in refused["msg"]
    )
    assert "istio.io/rev=canary, which somebody else has set and which contradicts istio-injection=enabled" in said
    seen("by the module and by site, 0 writes")


@pytest.mark.step("injection", "bare pods are named, and on demand created anew; who applied one finds no change")
def test_bare_pods(
    mesh: Seed, given: Callable[..., None], run: Run, seen: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    shell, applied = bare("shell"), {"name": "it-applied", "namespace": PLAIN, "definition": [bare("applied")]}
    given(shell)
    run("application", **applied)
    mesh.kubectl("wait", "pod", "shell", "--for=condition=Ready", "--timeout=120s", namespace=PLAIN)
    run("injection", namespaces=[PLAIN])
    try:
        reported = run("restart", namespaces=[PLAIN])["reported"]
        before = by_name(mesh.pods(namespace=PLAIN))
        done = run("restart", namespaces=[PLAIN], recreate_pods=True)
        after = by_name(mesh.pods(namespace=PLAIN))
        again = [
            run("restart", namespaces=[PLAIN], recreate_pods=True)["changed"],
            run("application", **applied)["changed"],
        ]
    finally:
        run("application", state="absent", name="it-applied", namespace=PLAIN)
        run("injection", namespaces=[PLAIN], state="absent")
    assert [one["name"] for one in reported] == ["applied", "shell"]
    assert (before, after) == ({"applied": "1/1", "shell": "1/1"}, {"applied": "2/2", "shell": "2/2"})
    assert [change["action"] for change in done["changes"]] == ["recreate"] * 2
    assert again == [False, False]
    seen(f"{', '.join(before)} 1/1 reported, then 2/2; nothing the second time")
