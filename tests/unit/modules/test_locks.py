# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock that a module takes for its changes: which, where, with which rights; and what the API server warns of."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

SHOP: dict[str, Any] = {
    "name": "shop",
    "namespace": "shop",
    "definition": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}],
}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
SEVERAL = {"namespaces": ["default", "shop"]}


def taken(api: ApiServer) -> list[tuple[str, str]]:
    """The locks that were taken, as (namespace, name)."""
    return [
        (one.body["metadata"]["namespace"], one.body["metadata"]["name"])
        for one in api.requests
        if one.method == "POST" and one.path.endswith("/leases")
    ]


def test_an_application_has_its_lock_in_its_namespace(api: ApiServer, on_api: Run) -> None:
    assert on_api("application", **SHOP)["changed"]
    assert taken(api) == [("shop", "meshops-istio-application-shop")]
    assert not [one for one in api.objects if one["kind"] == "Lease"]
    # What has nothing to change takes none.
    api.requests.clear()
    assert not on_api("application", **SHOP)["changed"]
    assert (taken(api), api.writes) == ([], [])


def test_a_namespace_that_is_to_come_has_it_in_default(api: ApiServer, on_api: Run) -> None:
    on_api("application", **{**SHOP, "namespace": "new"}, create_namespaces=True)
    assert taken(api) == [("default", "meshops-istio-application-shop")]


@pytest.mark.parametrize(
    ("module", "options", "namespace"),
    [("application", SHOP, "shop"), ("injection", SEVERAL, "default")],
)
def test_who_may_not_take_it_is_refused_before_the_first_write(
    api: ApiServer, on_api: Run, module: str, options: dict[str, Any], namespace: str
) -> None:
    api.forbidden = lambda attributes: attributes["resource"] == "leases"
    for check in (True, False):
        refused = on_api(module, **options, check=check)
        assert refused["code"] == "forbidden"
        assert f"create leases.coordination.k8s.io in namespace {namespace}" in refused["details"]["missing"]
    assert api.writes == []


def test_one_namespace_is_labelled_without_it_and_several_with_it(api: ApiServer, on_api: Run) -> None:
    assert on_api("injection", namespaces=["shop"])["changed"]
    assert taken(api) == []
    assert on_api("injection", **SEVERAL, mode="disabled")["changed"]
    assert taken(api) == [("default", "meshops-istio-injection")]


def test_the_api_servers_warnings_are_the_modules(api: ApiServer, on_api: Run) -> None:
    def warns(request: Request) -> Answer | None:
        if request.writes and "/configmaps/" in request.path:
            status, body = api.answer(request)
            return Answer(status, body, {"Warning": '299 - "would violate PodSecurity"'})
        return None

    api.fault = warns
    [warning] = on_api("application", **SHOP)["warnings"]
    assert has_facts(warning, "API server & would violate PodSecurity")
