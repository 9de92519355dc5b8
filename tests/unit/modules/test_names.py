# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that the API server would reject are refused before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

CONFIG: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap"}
SETTINGS: dict[str, Any] = {**CONFIG, "metadata": {"name": "settings"}}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", ["shop,", "shop legacy", "Shop", "a" * 64, "shop."])
def test_an_invalid_namespace_of_injection(name: str, check: bool, api: ApiServer, on_api: Run) -> None:
    result = on_api("injection", namespaces=["default", name], create_namespaces=True, check=check)
    assert (result["code"], api.requests) == ("invalid_name", [])
    assert repr(name) in result["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_an_invalid_namespace_of_an_application(check: bool, api: ApiServer, on_api: Run) -> None:
    manifest = {**CONFIG, "metadata": {"name": "settings", "namespace": "My Shop"}}
    for options in ({"definition": [manifest]}, {"namespace": "My Shop", "definition": [manifest]}):
        result = on_api("application", name="shop", create_namespaces=True, check=check, **options)
        assert (result["code"], api.writes) == ("invalid_name", [])
        assert "'My Shop'" in result["msg"]


def test_valid_namespaces_are_created(api: ApiServer, on_api: Run) -> None:
    result = on_api("injection", namespaces=["1st", "a" * 63], create_namespaces=True)
    assert [change["name"] for change in result["changes"]] == ["1st", "a" * 63]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", ["Shop_1", "shop one", "-shop", "s" * 250])
def test_an_invalid_name_of_an_application(name: str, check: bool, api: ApiServer, on_api: Run) -> None:
    result = on_api("application", name=name, namespace="default", definition=[SETTINGS], check=check)
    assert (result["code"], api.writes) == ("invalid_input", [])
    assert has_facts(result["msg"], f"application name & {name}")
