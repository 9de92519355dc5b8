# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster's API for another program: it reads as its user does, and never sees what is hidden from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.read_only_proxy import Relay
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError, Unauthorized
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.kube.connecting import SECRET, connect, kubeconfig

SECRETS = Kind("v1", "Secret")
LABEL = "mesh/remote"


def secret(name: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"one": "eA=="}}


@pytest.fixture
def relayed(api: ApiServer) -> Iterator[tuple[Cluster, Relay]]:
    """A cluster as the other program sees it, with one Secret that is hidden."""
    for one in (secret("plain"), secret("remote", **{LABEL: "true"})):
        api.put(f"/api/v1/namespaces/shop/secrets/{one['metadata']['name']}", one)
    cluster = connect(kubeconfig=kubeconfig(api.url), impersonate_user="ci")
    with cluster.relay(hide=LABEL) as relay:
        yield connect(kubeconfig=relay.kubeconfig), relay


def test_what_it_reads_is_read_as_the_user_whose_credentials_it_does_not_have(
    relayed: tuple[Cluster, Relay], api: ApiServer
) -> None:
    cluster, relay = relayed
    cluster.list(Kind("v1", "Pod"), label_selector="app=web")
    request = api.requests[-1]
    assert (request.path, request.query) == ("/api/v1/pods", {"labelSelector": "app=web", "limit": "500"})
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["impersonate-user"] == "ci"
    with open(relay.kubeconfig, encoding="utf-8") as file:
        assert SECRET not in file.read()


def test_hidden_secrets_are_in_no_list_and_are_not_found(relayed: tuple[Cluster, Relay]) -> None:
    cluster, relay = relayed
    for found in (cluster.list(SECRETS), cluster.list(SECRETS, "shop")):
        assert [one["metadata"]["name"] for one in found] == ["plain"]
    assert cluster.list(SECRETS, "shop", label_selector=f"{LABEL}=true") == []
    assert cluster.get(SECRETS, "remote", "shop") is None
    assert cluster.get(SECRETS, "plain", "shop")
    assert relay.hidden == {"shop/remote"}


def test_hidden_secrets_are_in_no_watch(relayed: tuple[Cluster, Relay], api: ApiServer) -> None:
    _cluster, relay = relayed
    events = [{"type": "ADDED", "object": secret("remote", **{LABEL: "x"})}, {"type": "ADDED", "object": secret("b")}]
    lines = "".join(json.dumps(event) + "\n" for event in events)
    api.fault = lambda request: Answer(200, lines.encode()) if "watch" in request.query else None
    with open(relay.kubeconfig, encoding="utf-8") as file:
        content = json.load(file)
    answer = urllib3.request("GET", f"{content['clusters'][0]['cluster']['server']}/api/v1/secrets?watch=true")
    assert [json.loads(line)["object"]["metadata"]["name"] for line in answer.data.splitlines()] == ["b"]


def test_only_json_is_asked_for_where_something_may_have_to_be_hidden(
    relayed: tuple[Cluster, Relay], api: ApiServer
) -> None:
    cluster, _relay = relayed
    for path in ("/api/v1/secrets", "/api/v1/pods"):
        cluster.raw("GET", path, accept="application/json, application/vnd.kubernetes.protobuf")
    accepted = [request.headers["accept"] for request in api.requests[-2:]]
    assert ["protobuf" in one for one in accepted] == [False, True]


def test_nothing_is_written_through_it(relayed: tuple[Cluster, Relay], api: ApiServer) -> None:
    cluster, _relay = relayed
    with pytest.raises(ApiError):
        cluster.create(secret("another"), manager="tests")
    assert api.writes == []


def test_nobody_else_on_the_machine_is_served(relayed: tuple[Cluster, Relay], api: ApiServer) -> None:
    cluster, _relay = relayed
    for guess in ("", "/guess"):
        with pytest.raises(Unauthorized):
            connect(host=cluster.server.rpartition("/")[0] + guess).list(SECRETS)
    assert api.requests == []


def test_a_refusal_of_the_cluster_is_passed_on(relayed: tuple[Cluster, Relay], api: ApiServer) -> None:
    def refuse(_request: Request) -> Answer:
        return Answer(403, {"kind": "Status", "reason": "Forbidden", "message": "no"})

    api.fault = refuse
    with pytest.raises(ApiError) as caught:
        relayed[0].list(SECRETS)
    assert caught.value.status == 403
