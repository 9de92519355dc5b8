# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A calculator that comes into the mesh while it runs, and what its routes can do to it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.traffic.canary.steps import BEFORE
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import Object, Seed, ways, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import (
    CLUSTERS,
    Answer,
    Client,
    Door,
    counts,
    eventually,
    tally,
)
from ansible_collections.meshops.istio.tests.support.lab import now
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

HOST, PATH = "me.example.com", "/api/calculation"
OWN, OWN_HOST = "it-own", "own.example.com"
CALCULATION = {"name": HOST, "method": "POST", "number": "84"}
WORKLOADS = [
    "gocalcbackend-v1",
    "jscalcbackend-v1",
    "jscalcbackend-v3",
    "jscalcfrontend-v2",
    "netcorecalcbackend-v1",
    "netcorecalcbackend-v2",
]


# Of what Envoy counts at destinations, Istio has it tell only what is asked for. Its own metrics the lab's proxies lack.
COUNTED = {"proxyStatsMatcher": {"inclusionRegexps": ["cluster\\.outbound.*upstream_rq_[0-9]xx"]}}
ANSWERS = 'sum(rate(envoy_cluster_upstream_rq{namespace="dev",cluster_name=~".*[|]v2[|]calcbackendsvc.*"%s}[1m]))'


@pytest.fixture(scope="module")
def calculator(sown: Sow) -> Iterator[Seed]:
    values = {"meshConfig": {"defaultConfig": COUNTED}}
    with sown("labs.aks_challenge", "dev", mesh_values=values) as seed:
        seed.play()
        yield seed


@pytest.fixture
def door(calculator: Seed) -> Door:
    return calculator.gateway


def calculate(door: Door, **headers: str) -> Answer:
    return door.ask(PATH, **CALCULATION, **headers)


def version(answer: Answer) -> str:
    """Which version of the backend calculated, or the status where none did."""
    if answer.status != 200 or not answer.text.startswith("{"):
        return str(answer.status)
    return str(json.loads(answer.text)["__v"])


@pytest.mark.step("003.1", "the oldest versions of Istio and Kubernetes are asserted before anything changes")
def test_the_oldest_versions(calculator: Seed, seen: Seen) -> None:
    since = now()
    kubernetes = {"istio": "1.22.0", "kubernetes": "1.99.0"}
    said = [
        calculator.play(fails=True, calculator_minimum=kubernetes).text,
        calculator.play(fails=True, mesh_version="1.17.0").text,
    ]
    writes = calculator.lab.writes_since(since)
    assert all("The calculator needs Istio 1.22.0 and Kubernetes" in one for one in said)
    assert writes == 0
    seen(f"Kubernetes older than 1.99.0, and Istio 1.17.0, refused, {writes} writes")


@pytest.mark.step("003.2", "the installation is there, and as the release's own analysis wants it")
def test_the_installation(calculator: Seed, seen: Seen) -> None:
    pods = {pod.labels["app"]: pod.ready for pod in calculator.pods("istio", namespace="istio-system")}
    assert pods == {"istiod": "1/1", "istio-ingressgateway": "1/1"}
    version = json.loads(calculator.istioctl("version", "-o", "json"))["meshVersion"][0]["Info"]["version"]
    assert version == calculator.lab.release["version"]
    said = calculator.istioctl("analyze", "-n", calculator.namespace, check=False)
    assert "Error [" not in said, said
    seen(
        f"istiod {version} {pods['istiod']}, gateway {pods['istio-ingressgateway']}; {said.strip().splitlines()[-1][:60]}"
    )


@pytest.mark.step("003.3", "Gateway and VirtualService of the text lead to the calculator's page")
def test_the_page(calculator: Seed, door: Door, seen: Seen) -> None:
    gateway = calculator.get("gateways.networking.istio.io", "calcapps-dev-gateway")["spec"]["servers"][0]
    route = calculator.get("virtualservice", "calcapp-dev-vs")["spec"]
    destination = route["http"][0]["route"][0]["destination"]
    assert (gateway["hosts"], gateway["port"]["number"]) == ([HOST], 80)
    assert (destination["host"], destination["port"]["number"]) == ("calcfrontendsvc", 80)
    answer, other = door.ask("/", name=HOST), door.ask("/", name="you.example.com")
    assert (answer.status, "Calculator" in answer.text, other.status) == (200, True, 404)
    seen(f"{HOST}: {answer.status} {answer.headers['server']}; another host: {other.status}", who(answer))


@pytest.mark.step("003.3", "the calculator calculates")
def test_a_calculation(door: Door, seen: Seen) -> None:
    answer = eventually(lambda: calculate(door), lambda one: one.status == 200)
    found = json.loads(answer.text)
    assert (found["value"], set(found)) == ([2, 2, 3, 7], {"__v", "host", "timestamp", "value"})
    seen(answer.text.strip(), who(answer))


@pytest.mark.step("003.3", "Gateway and VirtualService for a user's own service, beside the calculator's")
def test_a_service_of_the_users_own(calculator: Seed, door: Door, run_module: Run, seen: Seen) -> None:
    connected = {"kubeconfig": calculator.lab.kubeconfig, "namespace": OWN}
    own = {"name": "own", "create_namespaces": True, "sample": "helloworld", **calculator.lab.release}
    to = {"host": "helloworld", "port": 5000}
    try:
        done = [
            run_module("application", **connected, **own),
            run_module("gateway", **connected, name="own", servers=[{"port": 80, "hosts": [OWN_HOST]}]),
            run_module(
                "traffic_route", **connected, name="own", hosts=[OWN_HOST], gateways=["own"], http=[{"to": [to]}]
            ),
        ]
        assert not [one for one in done if one.get("failed")], done
        answer = eventually(lambda: door.ask("/hello", name=OWN_HOST), lambda one: one.status == 200)
        page = door.ask("/", name=HOST).status
    finally:
        calculator.kubectl("delete", "namespace", OWN, "--wait=true")
    assert (answer.text.startswith("Hello version: "), page) == (True, 200)
    seen(f"{OWN_HOST}: {answer.status} {answer.text.strip()}; {HOST} still {page}", who(answer))


@pytest.mark.step("003.4", "pods that ran before the label were restarted, and have their sidecar")
def test_restarted(calculator: Seed, seen: Seen) -> None:
    pods = calculator.pods()
    assert sorted(pod.name.rsplit("-", 2)[0] for pod in pods) == WORKLOADS
    assert all("istio-proxy" in pod.images for pod in pods)
    assert {pod.ready for pod in pods} == {"2/2"}
    # The second revision of each is the one with a sidecar.
    revisions = {
        one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        for one in calculator.get("deployments")["items"]
    }
    assert revisions == {"2"}
    seen(f"{len(pods)} pods 2/2 with istio-proxy, each of its workload's second revision")


@pytest.mark.step("003.5", "Kiali answers, and Grafana has the mesh's dashboards and asks the mesh's Prometheus")
def test_the_dashboards(calculator: Seed, seen: Seen) -> None:
    assert "Kiali" in calculator.addon("kiali", 20001, "/kiali/")
    titles = [one["title"] for one in json.loads(calculator.addon("grafana", 3000, "/api/search"))]
    assert "Istio Mesh Dashboard" in titles
    answer = json.loads(calculator.addon("grafana", 3000, "/api/datasources/proxy/1/api/v1/query?query=up"))
    assert answer["status"] == "success"
    seen(f"Kiali, {len(titles)} dashboards, {len(answer['data']['result'])} targets", "stand-ins for kiali and grafana")


@pytest.mark.step("003.5", "a picture of the routes, with the share of each version")
def test_the_picture(calculator: Seed, seen: Seen) -> None:
    drawn = calculator.ask("topology_info", namespaces=["dev"])
    found, picture = ways(drawn), drawn["mermaid"]
    backend = [label for source, target, label in sorted(found) if source == "VirtualService dev/calcbackend"]
    assert ("Gateway dev/calcapps-dev-gateway", "VirtualService dev/calcapp-dev-vs", "me.example.com") in found
    assert backend == ["v1 50 %", "v2", "v2 50 %", "v3 mirrored"]
    assert picture.startswith("flowchart LR\n")
    assert "no sidecar" not in picture
    seen(f"{len(found)} ways; the backend's: {', '.join(backend)}")


@pytest.mark.step("002.5", "metrics and monitoring: Prometheus finds the calculator's proxies up")
def test_the_metrics(calculator: Seed, seen: Seen) -> None:
    up = eventually(lambda: calculator.query('up{namespace="dev"} == 1'), lambda found: len(found) >= 6, limit=120)
    pods = {str(one["metric"].get("pod")) for one in up}
    assert {pod.name for pod in calculator.pods()} <= pods
    seen(f"{len(pods)} pods of dev up")


@pytest.mark.step("003.6", "versions: half and half, and all of the mobile ones to version 2")
def test_versions(door: Door, seen: Seen) -> None:
    shares = tally(version(calculate(door)) for _ in range(200))
    mobile = tally(version(calculate(door, User_Agent="Mobile Safari")) for _ in range(50))
    assert set(shares) == {"1.0", "2.0"}
    assert min(shares.values()) >= 70
    assert mobile == {"2.0": 50}
    seen(f"{shares['1.0']}/{shares['2.0']} of 200; mobile {mobile['2.0']} of 50 to 2.0")


@pytest.mark.step("003.6", "fault injection: a share of the calculations is aborted")
def test_aborts(calculator: Seed, door: Door, seen: Seen) -> None:
    calculator.play(calculator_fault={"abort": {"percent": 30, "status": 500}})
    try:
        eventually(lambda: version(calculate(door)), lambda status: status == "500")
        shares = tally(version(calculate(door)) for _ in range(200))
    finally:
        calculator.play()
    assert 40 <= shares["500"] <= 80
    seen(f"{shares['500'] / 2:.1f} % of 200 aborted with 500")


@pytest.mark.step("003.6", "fault injection: a share of the calculations is delayed")
def test_delays(calculator: Seed, door: Door, seen: Seen) -> None:
    def seconds() -> float:
        started = time.monotonic()
        assert calculate(door).status == 200
        return time.monotonic() - started

    calculator.play(calculator_fault={"delay": {"percent": 30, "duration": "3s"}})
    try:
        eventually(seconds, lambda taken: taken >= 3)
        delayed = sum(seconds() >= 3 for _ in range(40))
    finally:
        calculator.play()
    assert 4 <= delayed <= 22
    seen(f"{delayed} of 40 took 3 s longer")


@pytest.fixture
def canary(calculator: Seed) -> Iterator[Seed]:
    """Moves the calculations to version 2 by the role, as long as Prometheus says that it answers; then all is as before."""
    failures = ANSWERS % ',response_code_class="5xx"'
    gate = {
        "service": "istio-system/prometheus:9090",
        # Without a failure there is no series of failures; without any answer there is no data, and none is made up.
        "query": f"({failures} or vector(0)) / {ANSWERS % ''}",
        "max": 0.01,
    }
    given: dict[str, Any] = {
        "canary_name": "calcbackend",
        "canary_namespace": "dev",
        "canary_subset": "v2",
        "canary_prometheus": gate,
        "canary_steps": [75, 100],
        "canary_interval": 45,
    }
    yield Seed(calculator.lab, "canary", calculator.namespace, **given)
    calculator.play()


def shares_of(rules: list[Object]) -> dict[str, int]:
    """How rules share the calculations out."""
    return {one["destination"]["subset"]: one.get("weight", 100) for one in rules[-1]["route"]}


def weights(calculator: Seed) -> dict[str, int]:
    """How the calculations are shared out."""
    return shares_of(calculator.get("virtualservice", "calcbackend")["spec"]["http"])


def kept(calculator: Seed) -> dict[str, int]:
    """How they were shared out before a canary that is under way, by what is kept on the route; else nothing."""
    notes = calculator.get("virtualservice", "calcbackend")["metadata"].get("annotations") or {}
    return shares_of(json.loads(notes[BEFORE])) if BEFORE in notes else {}


def broken_off(calculator: Seed, canary: Seed) -> tuple[dict[str, int], dict[str, int]]:
    """Kill a canary after its first step: what it leaves of the weights, and what is kept of them."""
    with canary.broken_off(canary_interval=600):
        eventually(lambda: weights(calculator), lambda found: found["v2"] == 75, limit=120)
    return weights(calculator), kept(calculator)


@pytest.mark.step("002.5", "canary by the role: Prometheus lets it go on to 100 %")
def test_a_canary_that_prometheus_lets_go_on(calculator: Seed, door: Door, canary: Seed, seen: Seen) -> None:
    with Client(door, PATH, every=0.05, **CALCULATION) as client:
        eventually(
            lambda: calculator.query(ANSWERS % ""), lambda found: found and float(found[0]["value"][1]), limit=90
        )
        canary.play()
    shares = weights(calculator)
    by_2 = eventually(lambda: tally(version(calculate(door)) for _ in range(20)), lambda found: found == {"2.0": 20})
    assert shares == {"v1": 0, "v2": 100}
    assert set(client.seen) == {"200"}, client.seen
    seen(f"50 -> 75 -> 100 %, {client.seen['200']} calculations meanwhile, all 200; then {by_2['2.0']} of 20 by 2.0")


@pytest.mark.step("002.5", "canary by the role: Prometheus says that version 2 fails, and the route is as before")
def test_a_canary_that_prometheus_stops(calculator: Seed, door: Door, canary: Seed, seen: Seen) -> None:
    broken = ("scale", "deployment", "netcorecalcbackend-v2")
    calculator.kubectl(*broken, "--replicas=0")
    try:
        with Client(door, PATH, every=0.05, **CALCULATION):
            played = canary.play(fails=True)
    finally:
        calculator.kubectl(*broken, "--replicas=1")
    found = re.search(r"Prometheus says [0-9.e+-]+, good is at most 0.01", played.text)
    assert (bool(found), weights(calculator)) == (True, {"v1": 50, "v2": 50}), played.text
    calculator.kubectl("rollout", "status", "deployment", "netcorecalcbackend-v2", "--timeout=120s")
    seen(f"{found[0] if found else ''}; back at 50/50")


@pytest.mark.step(
    "002.5", "canary by the role, killed half-way: a new run goes on, or back, by what is kept on the route"
)
def test_a_canary_that_is_broken_off(calculator: Seed, door: Door, canary: Seed, seen: Seen) -> None:
    before = weights(calculator)
    left = broken_off(calculator, canary)
    canary.play(canary_state="rolled_back")
    back = weights(calculator), kept(calculator)
    again = broken_off(calculator, canary)
    with Client(door, PATH, every=0.05, **CALCULATION) as client:
        canary.play()
    on = weights(calculator), kept(calculator)
    assert left == again == ({"v1": 25, "v2": 75}, before)
    assert (back, on) == ((before, {}), ({"v1": 0, "v2": 100}, {}))
    assert set(client.seen) == {"200"}, client.seen
    seen("killed at 25/75 with 50/50 kept: back to 50/50; killed again: on to 0/100, nothing kept then")


@pytest.mark.step("003.6", "traffic mirroring: version 3 has a copy of each calculation, and answers none")
def test_mirroring(calculator: Seed, door: Door, seen: Seen) -> None:
    pod = calculator.pod("app=backend,version=v3").name

    def mirrored() -> int:
        return sum(counts(calculator.execute(pod, "istio-proxy", *CLUSTERS), "inbound|", "rq_total"))

    before = mirrored()
    shares = tally(version(calculate(door)) for _ in range(40))
    after = eventually(mirrored, lambda count: count >= before + 40)
    assert set(shares) <= {"1.0", "2.0"}
    seen(f"{after - before} copies of 40 at version 3, {sum(shares.values())} answers by 1.0 and 2.0")


@pytest.mark.step("003.6", "mutual TLS for an application that speaks plain HTTP")
def test_mutual_tls(calculator: Seed, door: Door, seen: Seen) -> None:
    mode = calculator.get("peerauthentication", "default")["spec"]["mtls"]["mode"]
    name, image = "outsider", "docker.io/curlimages/curl:8.16.0"
    label = "sidecar.istio.io/inject=false"
    calculator.kubectl("run", name, f"--image={image}", f"--labels={label}", "--command", "--", "sleep", "infinity")
    try:
        calculator.kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=60s")
        command = ("curl", "-sS", "-m", "5", "http://calcfrontendsvc/")
        plainly = calculator.execute(name, name, *command, check=False)
    finally:
        calculator.kubectl("delete", "pod", name, "--now")
    answer = door.ask("/", name=HOST)
    assert (mode, "reset" in plainly, answer.status) == ("STRICT", True, 200)
    seen(f"{mode}: plain text '{plainly.splitlines()[0]}', {answer.status} through the gateway", who(answer))


@pytest.mark.step("003.7", "egress: four hosts, for this namespace only")
def test_egress(calculator: Seed, seen: Seen) -> None:
    entries = [one["spec"] for one in calculator.get("serviceentries")["items"]]
    assert len(entries) == 4
    assert all(entry["exportTo"] == ["."] for entry in entries)
    hosts = {entry["hosts"][0] for entry in entries}
    inside = calculator.pod("app=frontend").name

    def known(pod: str, namespace: str) -> int:
        said = calculator.istioctl("proxy-config", "clusters", f"{pod}.{namespace}", "--direction", "outbound")
        return sum(host in said for host in hosts)

    outside = calculator.pods("app=istio-ingressgateway", namespace="istio-system")[0].name
    found = known(inside, "dev"), known(outside, "istio-system")
    assert found == (4, 0)
    seen(f"{found[0]} known to the calculator's proxies, {found[1]} to the gateway's in another namespace")


@pytest.mark.step("003", "a second run changes and writes nothing")
def test_again(calculator: Seed, seen: Seen) -> None:
    since = now()
    changed = calculator.play().changed
    writes = calculator.lab.writes_since(since)
    assert (changed, writes) == (0, 0)
    seen(f"changed={changed}, {writes} writes")
