# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discovery that has failed is not taken for a kind that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import transport
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError, UnknownKind
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

METRICS = Kind("metrics.k8s.io/v1beta1", "PodMetrics")
SHAPE = Kind("example.com/v1", "Shape")
Fault = Callable[[Request], Answer | None]


def version(kind: Kind, *, stale: bool) -> dict[str, Any]:
    resource = {"resource": f"{kind.kind.lower()}s", "responseKind": {"kind": kind.kind}, "scope": "Namespaced"}
    found = {"version": kind.api_version.rpartition("/")[2], "resources": [] if stale else [resource]}
    return {**found, "freshness": "Stale" if stale else "Current"}


def aggregated(silent: list[bool]) -> Fault:
    """One answer for all groups, in which one says that it is stale."""

    def fault(request: Request) -> Answer | None:
        if request.path != "/apis":
            return None
        items = [
            {"metadata": {"name": kind.group}, "versions": [version(kind, stale=kind == METRICS and silent[0])]}
            for kind in (SHAPE, METRICS)
        ]
        return Answer(200, {"kind": "APIGroupDiscoveryList", "items": items})

    return fault


def one_by_one(silent: list[bool]) -> Fault:
    """An answer for each version of each group, one of which does not come."""

    def fault(request: Request) -> Answer | None:
        for kind in (SHAPE, METRICS):
            if request.path == f"/apis/{kind.api_version}":
                if kind == METRICS and silent[0]:
                    return status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
                resource = {"name": f"{kind.kind.lower()}s", "kind": kind.kind, "namespaced": True}
                document = {"kind": "APIResourceList", "groupVersion": kind.api_version, "resources": [resource]}
                return Answer(200, document)
        if request.path == "/apis":
            groups = [{"versions": [{"groupVersion": kind.api_version}]} for kind in (SHAPE, METRICS)]
            return Answer(200, {"kind": "APIGroupList", "groups": groups})
        return Answer(200, {"kind": "APIVersions", "versions": []}) if request.path == "/api" else None

    return fault


@pytest.mark.parametrize("how", [aggregated, one_by_one])
def test_a_group_that_does_not_answer_is_not_a_kind_that_does_not_exist(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, how: Callable[[list[bool]], Fault]
) -> None:
    monkeypatch.setattr(transport, "BRIEFLY", 0.0)
    silent = [True]
    api.fault = how(silent)
    for ask in (lambda: cluster.serves(METRICS), lambda: cluster.get(METRICS, "web", "shop")):
        with pytest.raises(
            ApiError, match=facts_pattern("PodMetrics & metrics.k8s.io/v1beta1 & unavailable & v1beta1.metrics.k8s.io")
        ) as caught:
            ask()
        assert (caught.value.code, caught.value.status) == ("discovery_failed", 503)
    # What other groups serve is known, and what they do not serve as well.
    assert cluster.serves(SHAPE)
    assert not cluster.serves(SHAPE._replace(kind="Form"))
    with pytest.raises(UnknownKind):
        cluster.plural(Kind("example.com/v2", "Shape"))
    silent[0] = False
    assert cluster.serves(METRICS)
    asked = len(api.requests)
    assert cluster.plural(METRICS) == "podmetricss"
    assert len(api.requests) == asked


def test_that_nobody_may_ask_is_said(api: ApiServer, cluster: Cluster) -> None:
    answer = one_by_one([False])
    refused = status(403, "Forbidden", "no")
    api.fault = lambda request: refused if request.path == f"/apis/{METRICS.api_version}" else answer(request)
    with pytest.raises(ApiError) as caught:
        cluster.serves(SHAPE)
    assert caught.value.status == 403
