# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to an API server that fails: what is tried again, for how long, and what is said in the end.

All of them ask the same server through the same transport, hence one file of over 400 lines.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import transport
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import (
    ApiError,
    MeshError,
    Unauthorized,
    Unreachable,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, faulty, status
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.messages import has_facts

CONFIG_MAP = Kind("v1", "ConfigMap")
PATH = "/api/v1/namespaces/shop/configmaps/web"
MANAGER = "meshops.istio/test"
REMEDY = "check that it is running"


def web(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", "namespace": "shop"},
        "data": data or {"a": "1"},
    }


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not slept through."""
    taken: list[float] = []

    def sleep(seconds: float) -> None:
        taken.append(seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    return taken


def fails(request: Callable[[], Any]) -> MeshError:
    with pytest.raises(MeshError) as caught:
        request()
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    return caught.value


# --- tried again ---------------------------------------------------------------------------------------------------

PASSING = [
    pytest.param(status(429, "TooManyRequests", **{"Retry-After": "1"}), id="429"),
    pytest.param(status(500, "InternalError", "etcdserver: leader changed"), id="500"),
    pytest.param(Answer(502, b"<html>Bad Gateway</html>"), id="502"),
    pytest.param(status(503, "ServiceUnavailable"), id="503"),
    pytest.param(Answer(504, b""), id="504"),
    pytest.param(Answer(closes=True), id="closed"),
    pytest.param(Answer(loses=True), id="lost"),
]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.usefixtures("pauses")
def test_reads_live_through_what_passes(api: ApiServer, cluster: Cluster, fault: Answer) -> None:
    api.put(PATH, web())
    cluster.version()
    api.fault = faulty(fault, fault, None, fault)
    assert (cluster.get(CONFIG_MAP, "web", "shop") or {})["data"] == {"a": "1"}
    assert len(cluster.list(CONFIG_MAP, "shop")) == 1


@pytest.mark.parametrize("fault", [*PASSING, pytest.param(status(409, "Conflict", "has been modified"), id="409")])
@pytest.mark.usefixtures("pauses")
def test_an_apply_is_retried_and_done_once(api: ApiServer, cluster: Cluster, fault: Answer) -> None:
    cluster.version()
    api.fault = faulty(fault, fault)
    applied = cluster.apply(web(), manager=MANAGER)
    assert applied["data"] == {"a": "1"}
    [stored] = api.objects
    assert stored["metadata"]["uid"] == applied["metadata"]["uid"]
    assert [entry["manager"] for entry in stored["metadata"]["managedFields"]] == [MANAGER]


def test_any_character_can_be_applied(cluster: Cluster) -> None:
    assert cluster.apply(web(face="\N{GRINNING FACE}"), manager=MANAGER)["data"]["face"] == "\N{GRINNING FACE}"


@pytest.mark.usefixtures("pauses")
def test_a_deletion_whose_answer_is_lost_is_done(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, web())
    cluster.version()
    api.fault = faulty(Answer(loses=True))
    # Whether it was there cannot be told any more.
    assert cluster.delete(CONFIG_MAP, "web", "shop") is False
    assert api.objects == []


@pytest.mark.usefixtures("pauses")
def test_a_creation_whose_answer_is_lost_is_read_back(api: ApiServer, cluster: Cluster) -> None:
    cluster.version()
    api.fault = faulty(Answer(loses=True))
    assert cluster.create(web(), manager=MANAGER) == api.objects[0]


@pytest.mark.usefixtures("pauses")
def test_what_somebody_else_has_created_meanwhile_is_not_ours(api: ApiServer, cluster: Cluster) -> None:
    cluster.version()

    def faster(request: Request) -> Answer | None:
        if request.method != "POST" or api.objects:
            return None
        api.put(PATH, web(), "somebody")
        return Answer(closes=True)

    api.fault = faster
    error = fails(lambda: cluster.create(web(), manager=MANAGER))
    assert isinstance(error, ApiError)
    assert (error.status, error.reason) == (409, "AlreadyExists")


def test_a_creation_that_is_answered_too_late_is_read_back(api: ApiServer, cluster: Cluster) -> None:
    cluster.version()
    cluster.deadline = time.monotonic() + 0.3
    api.fault = lambda request: Answer(loses=True) if request.method == "POST" and not api.objects else None
    gateway_timeout = iter([Answer(504, b"")])

    def late(request: Request) -> Answer | None:
        if request.method == "POST":
            api.answer(request)
            return next(gateway_timeout, None) or Answer(504, b"")
        return None

    api.fault = late
    assert cluster.create(web(), manager=MANAGER)["data"] == {"a": "1"}


@pytest.mark.usefixtures("pauses")
def test_a_guarded_patch_whose_answer_is_lost_is_read_back(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, web(b="2"))
    version = api.get(PATH)["metadata"]["resourceVersion"]
    cluster.version()
    api.fault = faulty(Answer(loses=True))
    body = {"metadata": {"resourceVersion": version}, "data": {"a": "9", "b": None}}
    assert cluster.merge_patch(CONFIG_MAP, "web", "shop", body, manager=MANAGER)["data"] == {"a": "9"}


@pytest.mark.usefixtures("pauses")
def test_a_deletion_whose_answer_is_lost_leaves_a_successor_alone(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, web())
    uid = api.get(PATH)["metadata"]["uid"]
    cluster.version()

    def replaced(request: Request) -> Answer | None:
        if request.method == "DELETE" and api.get(PATH)["metadata"]["uid"] == uid:
            api.remove(PATH)
            api.put(PATH, web())
            return Answer(closes=True)
        return None

    api.fault = replaced
    assert cluster.delete(CONFIG_MAP, "web", "shop", uid=uid)
    assert len(api.objects) == 1


def test_pauses_grow_and_end(api: ApiServer, cluster: Cluster, pauses: list[float]) -> None:
    cluster.version()
    api.fault = faulty(*[Answer(503, b"")] * 9)
    cluster.list(CONFIG_MAP, "shop")
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_the_server_says_how_long_to_pause(api: ApiServer, cluster: Cluster, pauses: list[float]) -> None:
    answers = [status(429, **{"Retry-After": after}) for after in ("7", "0", "Wed, 21 Oct 2026 07:28:00 GMT")]
    api.fault = faulty(*answers)
    cluster.list(CONFIG_MAP, "shop")
    assert pauses == [7.0, 0.1, 0.4]


@pytest.mark.usefixtures("pauses")
def test_a_patch_without_a_resource_version_is_retried(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, web())
    cluster.version()
    api.fault = faulty(status(409, "Conflict", "has been modified"))
    cluster.merge_patch(CONFIG_MAP, "web", "shop", {"data": {"a": "2"}}, manager=MANAGER)
    [stored] = api.objects
    assert stored["data"] == {"a": "2"}


def test_a_patch_with_a_resource_version_is_not_retried(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, web())
    body = {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}
    error = fails(lambda: cluster.merge_patch(CONFIG_MAP, "web", "shop", body, manager=MANAGER))
    assert isinstance(error, ApiError)
    assert error.status == 409
    assert len(api.requests) == 1


@pytest.mark.parametrize("code", [400, 403, 404, 405, 410, 413, 415, 422])
def test_what_is_refused_is_not_said_again(api: ApiServer, cluster: Cluster, code: int) -> None:
    api.fault = faulty(status(code, "Reason", "no,\n  never."))
    error = fails(lambda: cluster.apply(web(), manager=MANAGER))
    assert isinstance(error, ApiError)
    assert error.message == f"The API server answered {code} to PATCH {PATH}: no, never."
    assert (error.status, error.reason, len(api.requests)) == (code, "Reason", 1)


@pytest.mark.usefixtures("pauses")
def test_a_namespace_that_is_being_deleted_is_waited_for(api: ApiServer, cluster: Cluster) -> None:
    api.fault = faulty(status(403, "Forbidden", "unable to create new content in namespace x: it is being terminated"))
    assert cluster.apply(web(), manager=MANAGER)


@pytest.mark.usefixtures("pauses")
def test_a_dry_run_does_not_wait_for_a_namespace_that_is_being_deleted(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BRIEFLY", 0.0)
    going = status(403, "Forbidden", "unable to create new content in namespace x: it is being terminated")
    api.fault = lambda request: going
    cluster.deadline = time.monotonic() + 300
    assert "being terminated" in fails(lambda: cluster.apply(web(), manager=MANAGER, dry_run=True)).message


def test_every_error_of_a_schema_is_shown_without_values(api: ApiServer, cluster: Cluster) -> None:
    message = (
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:\n"
        '  .spec.template.metadata.labels.sidecar.istio.io/inject: expected string, got &value.valueUnstructured{Value:"s3cret"}\n'
        "  .spec.template.metadata.labels.version: expected string, got &value.valueUnstructured{Value:1}\n"
        "  .spec.replica: field not declared in schema\n"
        '  .spec.template.spec.containers[name="c"].env: duplicate entries for key [name="MODE"]'
    )
    api.fault = faulty(status(500, "", message))
    error = fails(lambda: cluster.apply(web(), manager=MANAGER))
    for fact in ("inject: expected string", "version: expected string", "replica: field not declared", "MODE"):
        assert fact in error.message
    assert "s3cret" not in error.message
    assert "got" not in error.message


def test_an_object_that_does_not_fit_its_schema_is_not_the_servers_failure(api: ApiServer, cluster: Cluster) -> None:
    message = (
        "failed to create typed patch object (shop/web; /v1, Kind=Secret): "
        ".data.password: expected string, got &value.valueUnstructured{Value:12345}"
    )
    api.fault = faulty(status(500, "", message))
    error = fails(lambda: cluster.apply(web(), manager=MANAGER))
    assert isinstance(error, ApiError)
    assert error.message == f"The API server answered 422 to PATCH {PATH}: .data.password: expected string."
    assert (error.status, error.reason, len(api.requests)) == (422, "Invalid", 1)
    assert "12345" not in str(error.body)


# --- given up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (status(503, "ServiceUnavailable", "come back later"), "The API server answered 503 to GET /api/v1/"),
        (status(429, "TooManyRequests", "slow down", **{"Retry-After": "60"}), "slow down."),
        (Answer(closes=True), "can no longer be reached & Remote end closed connection without response"),
        (Answer(hangs=True), "can no longer be reached & timed out"),
    ],
)
def test_the_time_limit_is_kept(api: ApiServer, cluster: Cluster, fault: Answer, sentence: str) -> None:
    cluster.version()
    api.fault = lambda request: fault
    started = time.monotonic()
    cluster.deadline = started + 0.7
    error = fails(lambda: cluster.list(CONFIG_MAP, "shop"))
    assert has_facts(error.message, sentence)
    assert time.monotonic() - started < 0.7 + 2


def test_a_webhook_that_is_dead_does_not_cost_the_whole_time(
    api: ApiServer, cluster: Cluster, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0] + sum(pauses))
    cluster.deadline = clock[0] + 600
    message = 'Internal error occurred: failed calling webhook "validation.istio.io": connection refused'
    api.fault = lambda request: status(500, "InternalError", message)
    assert "validation.istio.io" in fails(lambda: cluster.apply(web(), manager=MANAGER)).message
    assert 20 < sum(pauses) < transport.PATIENCE


def test_a_webhook_whose_pod_has_just_gone_is_asked_again_although_its_call_took_long(
    api: ApiServer, cluster: Cluster, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BRIEFLY", 0.0)
    message = 'Internal error occurred: failed calling webhook "validation.istio.io": context deadline exceeded'
    answers = [status(500, "InternalError", message)] * transport.HANGING_CALLS
    api.fault = lambda request: answers.pop() if answers else None
    assert cluster.apply(web(), manager=MANAGER, dry_run=True)["kind"] == web()["kind"]
    assert len(pauses) == transport.HANGING_CALLS

    answers = [status(500, "InternalError", message)] * (transport.HANGING_CALLS + 1)
    assert "context deadline exceeded" in fails(lambda: cluster.apply(web(), manager=MANAGER, dry_run=True)).message


def test_a_wrong_address_fails_soon() -> None:
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    cluster = Cluster.connect({"host": url, "api_key": "swordfish"}, user_agent="test")
    started = time.monotonic()
    cluster.deadline = started + 300
    error = fails(cluster.version)
    assert isinstance(error, Unreachable)
    assert has_facts(error.message, f"{url} & cannot be reached: Connection refused & {REMEDY}")
    assert time.monotonic() - started < transport.FIRST_CONTACT + 1


def test_an_address_that_swallows_everything_does_not_cost_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.5)
    monkeypatch.setattr(transport, "CONNECTING", 0.3)
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full:
        address = full.getsockname()
        # A queue that is full is what a firewall that drops packets looks like.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        cluster = Cluster.connect({"host": f"https://127.0.0.1:{address[1]}", "api_key": "x"}, user_agent="test")
        started = time.monotonic()
        cluster.deadline = started + 300
        error = fails(cluster.version)
        for one in waiting:
            one.close()
    assert has_facts(error.message, f"cannot be reached: timed out & {REMEDY}")
    assert time.monotonic() - started < 0.5 + 1


@pytest.mark.parametrize(
    "silence",
    [Answer(closes=True), status(503, "ServiceUnavailable"), Answer(hangs=True)],
    ids=["closed", "503", "silent"],
)
def test_a_server_that_is_silent_at_first_is_waited_for(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, silence: Answer
) -> None:
    monkeypatch.setattr(transport, "FIRST_CONTACT", 0.0)
    monkeypatch.setattr(transport, "PATIENCE", 0.3)  # of one attempt to read
    cluster.deadline = time.monotonic() + 60
    api.fault = faulty(silence, silence, silence)
    assert cluster.version().git == "v1.35.4"


def test_a_server_whose_handshake_hangs_at_first_is_waited_for(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "FIRST_CONTACT", 0.0)
    monkeypatch.setattr(transport, "CONNECTING", 0.2)
    certificate, key = make_certificate(tmp_path, "localhost")
    with closing(socket.create_server(("127.0.0.1", 0))) as stopped:
        # The kernel accepts connections for a process that is stopped.
        options = {"host": f"https://127.0.0.1:{stopped.getsockname()[1]}", "api_key": "x", "ca_cert": str(certificate)}
        cluster = Cluster.connect(options, user_agent="test")
        cluster.deadline = time.monotonic() + 1.0
        begun = time.monotonic()
        assert "cannot be reached" in fails(cluster.version).message
        assert time.monotonic() - begun > 0.7
    assert key


def test_a_name_that_does_not_exist_is_not_tried_again(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: Any, **_more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    cluster = Cluster.connect({"host": "https://mesh.example.invalid", "api_key": "x"}, user_agent="test")
    error = fails(cluster.version)
    assert has_facts(error.message, f"https://mesh.example.invalid & Name or service not known & {REMEDY}")
    assert pauses == []


# --- understood ----------------------------------------------------------------------------------------------------


def test_wrong_credentials_are_said_to_be_wrong(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: status(401, "Unauthorized", "Unauthorized")
    error = fails(cluster.version)
    assert isinstance(error, Unauthorized)
    assert has_facts(error.message, f"unauthorized & {api.url} & credentials")
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (Answer(302, b"", {"Location": "https://login.example.com/"}), "a redirection to https://login.example.com/"),
        (Answer(200, b"<html>Welcome</html>"), "not a JSON object"),
        (Answer(200, b"[]"), "not a JSON object"),
    ],
)
def test_a_server_of_another_sort_is_told_apart(api: ApiServer, cluster: Cluster, answer: Answer, what: str) -> None:
    api.fault = lambda request: answer
    error = fails(cluster.version)
    assert isinstance(error, Unreachable)
    assert has_facts(
        error.message, f"{api.url} & not a Kubernetes API server & GET /version & {what} & check the address"
    )


def test_text_is_text_where_it_is_asked_for(api: ApiServer, cluster: Cluster) -> None:
    api.fault = faulty(Answer(200, b"ok"))
    assert cluster.raw("GET", "/readyz", accept="*/*") == "ok"


@pytest.mark.usefixtures("api")
def test_the_server_tells_the_time(cluster: Cluster) -> None:
    before = cluster.now
    cluster.version()
    after = cluster.now
    assert before is None
    assert after
    assert abs((datetime.now(UTC) - after).total_seconds()) < 5


# --- certificates --------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_trusted_is_said_to_be_so(
    api: ApiServer, tmp_path: Path, pauses: list[float]
) -> None:
    api.secure(*make_certificate(tmp_path, "localhost"))
    cluster = Cluster.connect({"host": api.url, "api_key": "x"}, user_agent="test")
    error = fails(cluster.version)
    assert isinstance(error, Unreachable)
    assert has_facts(error.message, f"certificate & {api.url} & not trusted: self & set ca_cert & check the address")
    assert pauses == []


def test_a_certificate_of_another_host_is_said_to_be_so(api: ApiServer, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "elsewhere.example.com")
    api.secure(certificate, key)
    url = api.url.replace("127.0.0.1", "localhost")
    cluster = Cluster.connect({"host": url, "api_key": "x", "ca_cert": str(certificate)}, user_agent="test")
    assert "certificate is not valid for 'localhost'" in fails(cluster.version).message


def test_a_certificate_of_a_known_authority_is_trusted(api: ApiServer, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "localhost")
    api.secure(certificate, key)
    options = {"host": api.url, "api_key": "x", "ca_cert": str(certificate)}
    assert Cluster.connect(options, user_agent="test").version().git == "v1.35.4"


def test_a_server_without_tls_is_told_apart(api: ApiServer) -> None:
    cluster = Cluster.connect({"host": api.url.replace("http:", "https:"), "api_key": "x"}, user_agent="test")
    cluster.deadline = time.monotonic() + 0.2
    assert "cannot be reached" in fails(cluster.version).message
