# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Online Boutique, brought into the mesh while visitors are in it, and a canary of its pages.

Where there is a copy of its authors' manifests (see `seed.UPSTREAM`) they are taken from there, with their checksum, and
otherwise from their authors' site.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.download import client as downloads
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import NO_COPY, UPSTREAM, Pod, Seed, who
from ansible_collections.meshops.istio.tests.integration.modules.monitors import MONITORS, definition
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import (
    CLUSTERS,
    Client,
    Door,
    counts,
    eventually,
)
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Manifests = dict[str, Any]

SERVICES = [
    "adservice",
    "cartservice",
    "checkoutservice",
    "currencyservice",
    "emailservice",
    "frontend",
    "loadgenerator",
    "paymentservice",
    "productcatalogservice",
    "recommendationservice",
    "redis-cart",
    "shippingservice",
]
ADDONS = ["prometheus", "grafana", "kiali", "loki", "zipkin", "prometheus-operator"]
COPY = "online_boutique/kubernetes-manifests.yaml"
MADE_ANEW = "This page was made by the new version."


@pytest.fixture(scope="module")
def manifests() -> Iterator[Manifests]:
    """Where the playbook takes the shop's manifests from: their authors, or a copy behind a URL with its checksum."""
    path = UPSTREAM and UPSTREAM / COPY
    if path is None or not path.exists():
        if (reason := unreachable()) is not None:
            pytest.skip(f"{NO_COPY.format(COPY)}, because they cannot be downloaded here ({reason})")
        yield {}
        return
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    handler = functools.partial(_Quiet, directory=str(path.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"online_boutique_src": f"http://127.0.0.1:{server.server_port}/{path.name}#sha256={digest}"}
        server.shutdown()


def unreachable() -> str | None:
    """Why the playbook's manifests cannot be downloaded; None where they can."""
    (play,) = yaml.safe_load((CHECKOUT / "playbooks" / "labs" / "online_boutique.yml").read_text(encoding="utf-8"))
    try:
        downloads.Client(timeout=20).check(str(play["vars"]["online_boutique_src"]).partition("#")[0])
    except MeshError as error:
        return error.message
    return None


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop(sown: Sow, manifests: Manifests) -> Iterator[Seed]:
    with sown("labs.online_boutique", "default", mesh_addons=ADDONS) as seed, monitors_known(seed):
        yield seed


@contextmanager
def monitors_known(shop: Seed) -> Iterator[None]:
    """The cluster knows the kinds of Prometheus' operator, meanwhile."""
    definitions = [definition(kind) for kind in MONITORS]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": definitions}, file)
        file.flush()
        shop.kubectl("apply", "-f", file.name)
    shop.kubectl("wait", "crd", "--for=condition=Established", *[one["metadata"]["name"] for one in definitions])
    yield
    shop.kubectl("delete", "crd", *[one["metadata"]["name"] for one in definitions])


@pytest.fixture(scope="module")
def before(shop: Seed, manifests: Manifests) -> dict[str, list[Pod]]:
    """The pods of the mesh and of the shop, before the shop is in the mesh."""
    shop.play(**manifests, mesh_inject_namespaces=[], mesh_addons=[], mesh_addons_tracing="")
    return {namespace: shop.pods(namespace=namespace) for namespace in ("istio-system", shop.namespace)}


@pytest.fixture(scope="module")
def visitors(shop: Seed, before: dict[str, list[Pod]], manifests: Manifests) -> dict[str, int]:
    """What visitors were answered while the shop was brought into the mesh, by status."""
    with Client(shop.door("frontend-external", "http"), "/", every=0.1) as client:
        shop.play(**manifests)
    return client.seen


@pytest.mark.step("004.2", "exactly two pods of Istio")
def test_the_default_profile(before: dict[str, list[Pod]], seen: Seen) -> None:
    found = {pod.labels["app"]: pod.ready for pod in before["istio-system"]}
    assert found == {"istiod": "1/1", "istio-ingressgateway": "1/1"}
    assert len(before["istio-system"]) == 2
    seen(", ".join(f"{name} {ready}" for name, ready in sorted(found.items())))


@pytest.mark.step("004.3", "the shop's 12 Deployments and 12 Services, before the label: no sidecars")
def test_before_the_label(shop: Seed, before: dict[str, list[Pod]], seen: Seen) -> None:
    pods = [pod for pod in before["default"] if pod.labels["app"] in SERVICES]
    assert sorted(pod.labels["app"] for pod in pods) == SERVICES
    assert {pod.ready for pod in pods} == {"1/1"}
    assert not any("istio-proxy" in pod.images for pod in pods)
    services = [one["metadata"]["name"] for one in shop.get("services")["items"]]
    # The load generator is asked by nobody, and the frontend by two.
    assert set(services) - {"kubernetes", "frontend-canary"} == {*SERVICES, "frontend-external"} - {"loadgenerator"}
    seen(f"{len(pods)} pods 1/1 without istio-proxy, {len(SERVICES)} Services")


@pytest.mark.step("004.4", "the running pods are brought into the mesh, and no visitor notices")
def test_into_the_mesh(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    pods = shop.pods()
    assert sorted({pod.labels["app"] for pod in pods}) == sorted([*SERVICES, "frontend-canary"])
    assert {pod.ready for pod in pods} == {"2/2"}
    assert set(visitors) == {"200"}
    seen(f"{len(pods)} pods 2/2; {visitors['200']} requests meanwhile, all 200", "stand-in for the shop")


@pytest.mark.step("004.4", "init container istio-init, image proxyv2 of the installed version")
def test_the_init_container(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    image = shop.pod("app=adservice").images["istio-init"]
    assert image.endswith(f"/proxyv2:{shop.lab.release['version']}")
    seen(image)


@pytest.mark.step("004.5", "all addons, with Zipkin instead of Jaeger")
def test_the_addons(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    services = {one["metadata"]["name"] for one in shop.get("services", namespace="istio-system")["items"]}
    wanted = {"grafana", "istio-ingressgateway", "istiod", "kiali", "loki", "prometheus", "tracing", "zipkin"}
    assert wanted <= services
    assert not any("jaeger" in name for name in services)
    assert "Zipkin" in shop.addon("zipkin", 9411, "/zipkin/")
    seen(", ".join(sorted(services)), "Prometheus real, the others stand-ins")


@pytest.mark.step("004.5", "extras/prometheus-operator.yaml")
def test_the_monitors(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    found = shop.get("podmonitors,servicemonitors", namespace="istio-system")["items"]
    names = sorted(f"{one['kind']} {one['metadata']['name']}" for one in found)
    assert names == ["PodMonitor envoy-stats-monitor", "ServiceMonitor istio-component-monitor"]
    seen(", ".join(names), "CRDs as the operator's, no operator")


@pytest.mark.step("002.5", "traces: the shop's services have sent spans")
def test_the_traces(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    def services() -> list[str]:
        assert shop.gateway.ask("/").status == 200
        found: list[str] = json.loads(shop.addon("zipkin", 9411, "/zipkin/api/v2/services"))
        return found

    found = eventually(services, lambda some: any("frontend" in one for one in some), limit=60)
    seen(f"{len(found)} services: {', '.join(sorted(found))}"[:120], "stand-in for zipkin-slim")


@pytest.mark.step("004.6", "each pod carries the label app; who lacks labels that Kiali wants is reported")
def test_the_labels(shop: Seed, visitors: dict[str, int], run_module: Run, seen: Seen) -> None:
    assert all("app" in pod.labels for pod in shop.pods())
    told = run_module("injection_info", kubeconfig=shop.lab.kubeconfig, namespaces=[shop.namespace])["unlabelled"]
    assert {one["name"]: one["labels"] for one in told} == {name: ["version"] for name in SERVICES}
    seen(f"app: all; {len(told)} workloads without version, as the report says: {told[0]['name']} ...")


def made_anew(door: Door, count: int) -> int:
    return sum(MADE_ANEW in door.ask("/").text for _ in range(count))


@pytest.mark.step("004.7", "a canary by percentage, with VirtualService and DestinationRule")
def test_the_canary(shop: Seed, visitors: dict[str, int], manifests: Manifests, seen: Seen) -> None:
    door = shop.gateway
    answer = eventually(lambda: door.ask("/"), lambda one: one.status == 200)
    assert shop.get("destinationrule", "frontend-canary")["spec"]["host"] == "frontend-canary"
    few = made_anew(door, 200)
    shop.play(**manifests, online_boutique_canary=50)
    eventually(lambda: made_anew(door, 20), lambda count: count >= 4)
    half = made_anew(door, 200)
    shop.play(**manifests)
    assert (6 <= few <= 40, 70 <= half <= 130) == (True, True)
    seen(f"at 10 %: {few} of 200; at 50 %: {half} of 200", who(answer))


@pytest.mark.step("002.5", "load balancing of gRPC, between two pods of the shop's catalogue")
def test_grpc_is_shared_out(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    catalogue, frontend = "productcatalogservice", shop.pod("app=frontend").name

    def calls() -> list[int]:
        said = shop.execute(frontend, "istio-proxy", *CLUSTERS)
        return counts(said, f"outbound|3550||{catalogue}.", "rq_success")

    shop.kubectl("scale", "deployment", catalogue, "--replicas=2")
    try:
        shop.kubectl("rollout", "status", "deployment", catalogue, "--timeout=120s")
        found = eventually(
            lambda: (shop.gateway.ask("/").status, calls())[1], lambda some: len(some) == 2 and all(some)
        )
    finally:
        shop.kubectl("scale", "deployment", catalogue, "--replicas=1")
    seen(f"{' and '.join(map(str, found))} calls", "stand-in for productcatalogservice")


@pytest.mark.step("004.1", "where minikube would start: one node that is ready")
def test_the_cluster(shop: Seed, before: dict[str, list[Pod]], seen: Seen) -> None:
    (node,) = shop.get("nodes")["items"]
    ready = {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"]
    assert ready == "True"
    has, info = node["status"]["capacity"], node["status"]["nodeInfo"]
    seen(f"{has['cpu']} CPUs, Kubernetes {info['kubeletVersion']}, {info['containerRuntimeVersion']}", "the lab")


@pytest.mark.step("004", "the shop's pages, by way of its services: what is bought is in the cart")
def test_the_shop(shop: Seed, visitors: dict[str, int], seen: Seen) -> None:
    door = shop.gateway
    session = {"Cookie": "shop_session-id=integration-test"}
    statuses = [
        door.ask("/product/OLJCESPC7Z", **session).status,
        door.ask("/setCurrency", method="POST", **session).status,
        door.ask("/cart?product_id=OLJCESPC7Z&quantity=2", method="POST", **session).status,
    ]
    cart = door.ask("/cart", **session)
    order = door.ask("/cart/checkout?email=someone@example.com", method="POST", **session)
    assert statuses == [200, 302, 302]
    assert (cart.status, "Cart (2)" in cart.text) == (200, True)
    assert (order.status, "Your order is complete!" in order.text) == (200, True)
    seen("product 200, cart with 2 articles 200, order complete 200", who(order))


@pytest.mark.step("004", "a manifest that is not the one expected is refused, and nothing changes")
def test_another_manifest(shop: Seed, visitors: dict[str, int], manifests: Manifests, seen: Seen) -> None:
    if not manifests:
        pytest.skip(NO_COPY.format(COPY))
    address, _, digest = manifests["online_boutique_src"].rpartition("=")
    since = now()
    played = shop.play(fails=True, online_boutique_src=f"{address}={'0' * 64}")
    assert f"SHA-256 is {digest} instead of {'0' * 64}" in played.text
    assert shop.lab.writes_since(since) == 0
    seen("refused for its checksum, 0 writes")


@pytest.mark.step("004", "a second run changes and writes nothing")
def test_again(shop: Seed, visitors: dict[str, int], manifests: Manifests, seen: Seen) -> None:
    since = now()
    changed = shop.play(**manifests).changed
    writes = shop.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
