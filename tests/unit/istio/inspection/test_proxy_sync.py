# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What istiod and the proxies say of themselves, read as a state of each proxy and of each certificate."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.proxy_sync import (
    Certificate,
    Proxy,
    read_proxies,
    used,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.pod_http import ask
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused, Unreachable
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make, pod
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

Answers = dict[tuple[str, int], list[tuple[int, str]]]

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Answering(MemoryCluster):
    """Pods that answer at their ports, each time with the next of the answers for them, the last one for ever."""

    def __init__(self, answers: Answers, *objects: dict[str, Any]) -> None:
        super().__init__(*objects)
        self._answers = answers

    def socket_to(self, namespace: str, pod: str, port: int) -> socket.socket:
        said = self._answers.get((f"{namespace}/{pod}", port))
        if said is None:
            raise Unreachable(f"Port {port} of Pod {namespace}/{pod} cannot be reached: nobody listens.")
        status, text = said.pop(0) if len(said) > 1 else said[0]
        ours, theirs = socket.socketpair()

        def answer() -> None:
            with theirs:
                theirs.recv(1 << 16)
                body = text.encode()
                theirs.sendall(b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))

        threading.Thread(target=answer, daemon=True).start()
        return ours


ISTIOD = make("Pod", "istiod-1", "istio-system", labels={"app": "istiod", "istio.io/rev": "default"}, spec={})
ISTIOD["status"] = {"phase": "Running"}
WEB = pod("web-1", proxy="1.29.1")


def connection(name: str, **parts: str) -> dict[str, str]:
    """What istiod tells of a proxy that has confirmed all that it was sent, but for `parts`."""
    confirmed = {f"{part}_{what}": "a" for part in ("cluster", "listener") for what in ("sent", "acked")}
    return {"proxy": name, **confirmed, **parts}


def certificate(serial: str, begins: datetime, ends: datetime, *names: str) -> dict[str, Any]:
    return {
        "serial_number": serial,
        "subject_alt_names": [{"uri": name} for name in names],
        "valid_from": begins.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expiration_time": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def read(*told: list[dict[str, str]], certs: Any = None, patience: float = 0, **options: Any) -> list[Proxy]:
    answers: Answers = {("istio-system/istiod-1", 15014): [(200, json.dumps(one)) for one in told]}
    if certs is not None:
        answers["shop/web-1", 15000] = [(200, json.dumps({"certificates": certs}))]
    cluster = Answering(answers, ISTIOD, WEB, *options.pop("others", ()))
    return read_proxies(cluster, patience=patience, progress=lambda _line: None)


def test_a_proxy_that_has_confirmed_everything() -> None:
    [found] = read([connection("web-1.shop")], certs=[])
    assert found.as_dict() == {
        "pod": "shop/web-1",
        "revision": "default",
        "version": "1.29.1",
        "state": "synced",
        "stale": [],
        "answers": True,
    }


def test_what_is_misshapen_in_answers_is_left_out() -> None:
    odd: Any = ["x", None, connection("web-1.shop")]
    good = certificate("1", NOW, NOW + timedelta(1), "a")
    [found] = read(odd, certs=[7, {"ca_cert": {}}, {"cert_chain": [{"serial_number": "2"}, None, good]}])
    assert found.state == "synced"
    assert [one.serial for one in found.certificates or ()] == ["1"]
    assert read(odd, certs=[{"ca_cert": [{**good, "valid_from": "today"}]}])[0].certificates is None


def test_what_was_sent_and_not_confirmed_is_named() -> None:
    [found] = read([connection("web-1.shop", listener_sent="b", route_sent="c", cluster_acked="")])
    assert (found.state, found.stale) == ("stale", ["CDS", "LDS", "RDS"])
    assert not found.as_dict()["answers"]


def test_a_proxy_that_no_istiod_knows() -> None:
    assert [one.state for one in read([connection("web-2.shop")])] == ["disconnected"]


def test_what_is_being_sent_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    [found] = read([], [connection("web-1.shop", cluster_sent="b")], [connection("web-1.shop")], patience=30)
    assert found.state == "synced"


def test_only_running_proxies_of_the_control_planes_are_looked_at() -> None:
    others = [pod("old", proxy="1.29.1", phase="Succeeded"), pod("plain"), pod("other", proxy="1.29.1", revision="x")]
    assert [one.pod for one in read([connection("web-1.shop")], others=others)] == ["shop/web-1"]


def test_certificates_are_named_once_with_those_who_use_them() -> None:
    root, own = Certificate("1", (), True, NOW, NOW + timedelta(9)), Certificate("2", ("a",), False, NOW, NOW)
    proxies = [Proxy("shop", name, "default", "1", certificates=[root, root]) for name in ("a", "b")]
    proxies[1].certificates = [root, own]
    assert used(proxies) == [(own, ["shop/b"]), (root, ["shop/a", "shop/b"])]


def test_certificates_are_read_as_envoy_tells_them() -> None:
    day = timedelta(days=1)
    name = "spiffe://cluster.local/ns/shop/sa/web"
    certs = [{"ca_cert": [certificate("1", NOW, NOW + day)], "cert_chain": [certificate("2", NOW, NOW + day, name)]}]
    [found] = read([connection("web-1.shop")], certs=certs)
    assert found.certificates == [
        Certificate("1", (), True, NOW, NOW + day),
        Certificate("2", (name,), False, NOW, NOW + day),
    ]


@pytest.mark.parametrize(
    ("begun", "left", "state"),
    [
        (timedelta(days=3000), timedelta(days=15), "valid"),
        (timedelta(days=3000), timedelta(days=13), "expiring"),
        (timedelta(days=3000), timedelta(seconds=-1), "expired"),
        (timedelta(days=-1), timedelta(days=300), "not_yet_valid"),
        # Renewed after half of its 24 hours; with two of them left nothing has renewed it.
        (timedelta(hours=12), timedelta(hours=12), "valid"),
        (timedelta(hours=22), timedelta(hours=2), "expiring"),
    ],
)
def test_how_long_a_certificate_lasts(begun: timedelta, left: timedelta, state: str) -> None:
    assert Certificate("1", (), False, NOW - begun, NOW + left).state(NOW, 14) == state


def test_a_missing_permission_to_ask_is_an_error() -> None:
    cluster = Answering({}, ISTIOD, WEB)
    cluster.denied_accesses = {Access("get", "", "pods", "shop", subresource="portforward")}
    with pytest.raises(Refused, match=facts_pattern("forbidden & get pods/portforward in namespace shop")):
        read_proxies(cluster, patience=0, progress=lambda _line: None)


@pytest.mark.parametrize(
    ("answers", "words"),
    [({}, "nobody listens"), ({("shop/web-1", 80): [(503, "")]}, "answered 503 to GET /x")],
)
def test_a_pod_that_does_not_answer(answers: Answers, words: str) -> None:
    with pytest.raises(Unreachable, match=words):
        ask(Answering(answers), "shop", "web-1", 80, "/x")
