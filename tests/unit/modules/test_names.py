# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that no Namespace can have are refused before the API is asked for anything."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.modules import Run

CONFIG: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap"}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", ["shop,", "shop legacy", "Shop", "a" * 64, "shop."])
def test_no_namespace_of_a_wrong_name_is_planned(name: str, check: bool, api: ApiServer, on_api: Run) -> None:
    result = on_api("injection", namespaces=["default", name], create_namespaces=True, check=check)
    assert (result["code"], api.requests) == ("invalid_name", [])
    assert repr(name) in result["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_nor_by_an_application(check: bool, api: ApiServer, on_api: Run) -> None:
    manifest = {**CONFIG, "metadata": {"name": "settings", "namespace": "My Shop"}}
    for options in ({"definition": [manifest]}, {"namespace": "My Shop", "definition": [manifest]}):
        result = on_api("application", name="shop", create_namespaces=True, check=check, **options)
        assert (result["code"], api.writes) == ("invalid_name", [])
        assert "'My Shop'" in result["msg"]


def test_namespaces_that_can_be_are_made(api: ApiServer, on_api: Run) -> None:
    result = on_api("injection", namespaces=["1st", "a" * 63], create_namespaces=True)
    assert [change["name"] for change in result["changes"]] == ["1st", "a" * 63]
