# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guestbook: sidecars by a namespace's label, a page behind a load balancer, two versions of its greetings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import read_manifests
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed, images, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Answer, Door, eventually, tally
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT, now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

MANIFESTS = CHECKOUT / "roles" / "applications" / "files" / "guestbook"
KINDS = ("Deployment", "StatefulSet")
BY_HAND = "it-by-hand"


@pytest.fixture(scope="module")
def guestbook(sown: Sow) -> Iterator[Seed]:
    with sown("labs.guestbook", "default") as seed:
        seed.play()
        yield seed


@pytest.fixture
def page(guestbook: Seed) -> Door:
    return guestbook.door("guestbook-ui", "http")


def versions(page: Door, count: int, **headers: str) -> dict[str, int]:
    """How often each version greeted."""
    answers = [page.ask("/echo/universe", **headers) for _ in range(count)]
    return tally(json.loads(one.text)["greeting"]["version"] if one.status == 200 else one.status for one in answers)


def greeting(answer: Answer) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.text)["greeting"]
    return found


@pytest.fixture
def on_lab(guestbook: Seed, run_module: Run) -> Callable[..., dict[str, Any]]:
    """Run a module on the lab; it has to succeed."""

    def run(module: str, **options: Any) -> dict[str, Any]:
        result = run_module(module, kubeconfig=guestbook.lab.kubeconfig, **options)
        assert not result.get("failed"), result
        return result

    return run


def added(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The containers that a workload's pods have more than before."""
    templates = [one["spec"]["template"] for one in (after, before)]
    return set(images(templates[0])) - set(images(templates[1]))


@pytest.mark.step("000.1", "manual injection: each manifest's pods get one more container, istio-proxy")
def test_manual_injection(guestbook: Seed, on_lab: Callable[..., dict[str, Any]], seen: Seen) -> None:
    done: list[str] = []
    for path in sorted(MANIFESTS.glob("*.yaml")):
        plain = on_lab("injected_manifest", src=[str(path)], **guestbook.lab.release)
        before = {
            one["metadata"]["name"]: one for one in read_manifests(path.read_text(), path.name) if one["kind"] in KINDS
        }
        after = {one["metadata"]["name"]: one for one in plain["objects"] if one["kind"] in KINDS}
        assert before.keys() == after.keys()
        for name, workload in before.items():
            # istio-init only begins, and ends before the others are there.
            assert added(workload, after[name]) - {"istio-init"} == {"istio-proxy"}, name
        done += after
    seen(f"{len(done)} workloads with istio-proxy: {', '.join(sorted(done))}")


@pytest.mark.step("000.1", "what was injected by hand runs where no label asks for sidecars")
def test_injected_by_hand(guestbook: Seed, on_lab: Callable[..., dict[str, Any]], seen: Seen) -> None:
    source = {"src": [str(MANIFESTS / "helloworld-service.yaml")], **guestbook.lab.release}
    objects = on_lab("injected_manifest", **source)["objects"]
    application = {"name": "by-hand", "namespace": BY_HAND, "definition": objects, "create_namespaces": True}
    try:
        on_lab("application", wait_timeout=300, **application)
        labels = guestbook.get("namespace", BY_HAND)["metadata"]["labels"]
        pods = guestbook.pods(namespace=BY_HAND)
        again = on_lab("application", **application)["changed"]
    finally:
        guestbook.kubectl("delete", "namespace", BY_HAND, "--wait=true")
    assert not [label for label in labels if "istio" in label]
    assert ({pod.ready for pod in pods}, again) == ({"2/2"}, False)
    seen(f"{len(pods)} pods of helloworld-service 2/2 in a namespace without a label")


@pytest.mark.step("000.2", "the guestbook is there, each part in the mesh and ready, mysql on a volume")
def test_the_parts(guestbook: Seed, seen: Seen) -> None:
    pods = guestbook.pods()
    assert sorted(pod.labels["app"] for pod in pods) == [
        "guestbook-service",
        "guestbook-ui",
        "helloworld-service",
        "helloworld-service",
        "mysql",
        "redis",
    ]
    assert {pod.ready for pod in pods} == {"2/2"}
    claim = guestbook.get("pvc", "mysql-pvc")["status"]["phase"]
    assert claim == "Bound"
    seen(f"{len(pods)} pods 2/2, mysql-pvc {claim}")


@pytest.mark.step("000.3", "guestbook-ui has an address, and its page answers there")
def test_the_page(page: Door, seen: Seen) -> None:
    assert page.port == 80
    answer = page.ask("/")
    assert (answer.status, "Guestbook" in answer.text) == (200, True)
    seen(f"{page.host}: {answer.status} {answer.headers['server']}", who(answer))


@pytest.mark.step("000.3", "/echo/universe answers with hostname, greeting and version")
def test_the_echo(page: Door, seen: Seen) -> None:
    answer = page.ask("/echo/universe")
    found = greeting(answer)
    assert set(found) == {"hostname", "greeting", "version"}
    assert found["greeting"] == f"Hello universe from {found['hostname']} with {found['version']}"
    seen(answer.text.strip(), who(answer))


@pytest.mark.step("000.4", "greetings alternate between the versions")
def test_both_versions_greet(page: Door, seen: Seen) -> None:
    shares = versions(page, 100)
    assert set(shares) == {"1.0", "2.0"}
    assert min(shares.values()) >= 30
    seen(f"{shares['1.0']}/{shares['2.0']} of 100")


@pytest.mark.step("000.4", "routing: only version 1 greets, and version 2 greets whoever is mobile")
def test_routing_and_canary(guestbook: Seed, page: Door, seen: Seen) -> None:
    guestbook.play(guestbook_canary=0)
    try:
        eventually(lambda: versions(page, 10), lambda shares: shares == {"1.0": 10})
        everyone, mobile = versions(page, 50), versions(page, 50, User_Agent="mobile")
    finally:
        guestbook.play()
    assert (everyone, mobile) == ({"1.0": 50}, {"2.0": 50})
    seen("50 of 50 by 1.0; mobile 50 of 50 by 2.0")


@pytest.mark.step("000", "what is written in the guestbook outlives its database's pod")
def test_messages_are_kept(guestbook: Seed, page: Door, seen: Seen) -> None:
    said = page.ask("/greet?name=Ada&message=hello", method="POST")
    assert said.status == 303
    before = guestbook.pod("app=mysql").name
    guestbook.kubectl("delete", "pod", before, "--wait=true")
    answer = eventually(lambda: page.ask("/"), lambda one: "Ada: hello" in one.text, limit=120)
    assert guestbook.pod("app=mysql").name != before
    seen("'Ada: hello' after mysql came back", who(answer))


@pytest.mark.step("000", "a second run changes and writes nothing")
def test_again(guestbook: Seed, seen: Seen) -> None:
    since = now()
    changed = guestbook.play().changed
    writes = guestbook.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
