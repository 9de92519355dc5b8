# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists are read in pages, whole, also where the rest has expired meanwhile."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import paging
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, path_of

CONFIG_MAP = Kind("v1", "ConfigMap")
EXPIRED = status(410, "Expired", "The provided continue parameter is too old")


@pytest.fixture(autouse=True)
def names(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(paging, "PAGE", 3)
    found = [f"web-{number}" for number in range(8)]
    for name in found:
        api.put(path_of(config_map(name)), config_map(name))
    return found


def listed(cluster: Cluster) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.list(CONFIG_MAP, "shop")]


def test_a_list_comes_in_pages(api: ApiServer, cluster: Cluster, names: list[str]) -> None:
    assert listed(cluster) == names
    assert [one.query.get("continue") for one in api.requests] == [None, "3", "6"]


def test_an_expired_continue_token_restarts_the_list_without_pages(
    api: ApiServer, cluster: Cluster, names: list[str]
) -> None:
    def expires(request: Request) -> Answer | None:
        return EXPIRED if request.query.get("continue") == "6" else None

    api.fault = expires
    assert listed(cluster) == names
    assert "limit" not in api.requests[-1].query


def test_an_expiry_of_all_of_it_is_said(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda _request: EXPIRED
    with pytest.raises(ApiError) as caught:
        listed(cluster)
    assert caught.value.status == 410
