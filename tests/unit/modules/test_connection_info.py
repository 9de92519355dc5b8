# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cluster a connection leads to, and that a module which expects it works on no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.modules import Run

NAMESPACES = "/api/v1/namespaces"
SYSTEM = "/api/v1/namespaces/kube-system"


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[tuple[ApiServer, ApiServer]]:
    """Two clusters, each with a Namespace kube-system of its own."""
    with ApiServer() as one, ApiServer() as other:
        for server in (one, other):
            for name in ("kube-system", "shop"):
                server.put(
                    f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                )
        yield one, other


def kubeconfig(**servers: str) -> dict[str, Any]:
    """A kubeconfig with a context for each server; the first is the current one."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "me", "user": {"token": "swordfish"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in servers],
        "current-context": next(iter(servers)),
    }


def forbidden(request: Request) -> Answer | None:
    """Neither getting the Namespace kube-system nor listing Namespaces is allowed."""
    return status(403, "Forbidden") if request.path in (SYSTEM, NAMESPACES) else None


def test_the_current_context_is_resolved_by_name(run_module: Run, clusters: tuple[ApiServer, ApiServer]) -> None:
    one, other = clusters
    found = run_module("connection_info", kubeconfig=kubeconfig(staging=one.url, production=other.url))["cluster"]
    (uid,) = (obj["metadata"]["uid"] for obj in one.objects if obj["metadata"]["name"] == "kube-system")
    assert (found["context"], found["server"], found["uid"]) == ("staging", one.url, uid)


@pytest.mark.parametrize("form", ["path", "content", "environment"])
def test_a_task_refuses_another_cluster_than_the_one_that_was_resolved(
    form: str,
    run_module: Run,
    clusters: tuple[ApiServer, ApiServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = clusters
    path = tmp_path / "config"

    def given(content: dict[str, Any]) -> dict[str, Any]:
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        if form == "environment":
            monkeypatch.setenv("KUBECONFIG", str(path))
        if form == "content":
            return {"kubeconfig": content}
        return {"kubeconfig": str(path)} if form == "path" else {}

    found = run_module("connection_info", **given(kubeconfig(staging=one.url)))["cluster"]
    pinned = {"context": found["context"], "expected_cluster": found}
    assert run_module("injection", namespaces=["shop"], **pinned, **given(kubeconfig(staging=one.url)))["changed"]

    result = run_module("injection", namespaces=["shop"], **pinned, **given(kubeconfig(staging=other.url)))
    assert result["code"] == "other_cluster"
    assert one.url in result["msg"]
    assert other.url in result["msg"]
    assert [request.path for request in other.requests] == [SYSTEM]


def test_the_uid_alone_tells_clusters_apart_behind_one_address(
    run_module: Run, clusters: tuple[ApiServer, ApiServer]
) -> None:
    one, _other = clusters
    result = run_module(
        "injection", host=one.url, api_key="x", namespaces=["shop"], expected_cluster={"uid": "another"}
    )
    assert (result["code"], one.writes) == ("other_cluster", [])
    assert "another" in result["msg"]


def test_without_permission_for_the_uid_server_and_authority_are_compared(
    run_module: Run, clusters: tuple[ApiServer, ApiServer]
) -> None:
    one, other = clusters
    for server in clusters:
        server.fault = forbidden
    found = run_module("connection_info", host=one.url, api_key="x")["cluster"]
    assert (found["uid"], found["server"]) == ("", one.url)
    assert run_module("injection", host=one.url, api_key="x", namespaces=["shop"], expected_cluster=found)["changed"]
    result = run_module("injection", host=other.url, api_key="x", namespaces=["shop"], expected_cluster=found)
    assert (result["code"], other.writes) == ("other_cluster", [])


def test_who_may_only_list_namespaces_learns_the_uid(run_module: Run, clusters: tuple[ApiServer, ApiServer]) -> None:
    one, _other = clusters
    uid = run_module("connection_info", host=one.url, api_key="x")["cluster"]["uid"]
    one.fault = lambda request: status(403, "Forbidden") if request.path == SYSTEM else None
    assert run_module("connection_info", host=one.url, api_key="x")["cluster"]["uid"] == uid != ""


def test_a_uid_that_can_no_longer_be_read_is_no_proof(run_module: Run, clusters: tuple[ApiServer, ApiServer]) -> None:
    one, _other = clusters
    found = run_module("connection_info", host=one.url, api_key="x")["cluster"]
    one.fault = forbidden
    result = run_module("injection", host=one.url, api_key="x", namespaces=["shop"], expected_cluster=found)
    assert (result["code"], one.writes) == ("other_cluster", [])
    assert "permission" in result["msg"]
