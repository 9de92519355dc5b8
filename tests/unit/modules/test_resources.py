# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that modules return: as written, as planned or as read, without a request for them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.resources import resources
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.modules import Run

LABEL = "istio-injection"


def labels(result: dict[str, Any]) -> dict[str, Any]:
    return {one["metadata"]["name"]: one["metadata"].get("labels", {}).get(LABEL) for one in result["resources"]}


def test_namespaces_are_returned_as_they_were_written(api: ApiServer, on_api: Run) -> None:
    wanted = {"namespaces": ["default", "new"], "create_namespaces": True}
    done = on_api("injection", **wanted)
    assert labels(done) == {"default": "enabled", "new": "enabled"}
    version = api.get("/api/v1/namespaces/new")["metadata"]["resourceVersion"]
    assert [one["metadata"]["resourceVersion"] for one in done["resources"] if one["metadata"]["name"] == "new"] == [
        version
    ]
    assert not any("managedFields" in one["metadata"] for one in done["resources"])


def test_what_does_not_change_is_returned_as_it_was_read(api: ApiServer, on_api: Run) -> None:
    on_api("injection", namespaces=["shop"])
    api.requests.clear()
    again = on_api("injection", namespaces=["shop"])
    assert (again["changed"], labels(again)) == (False, {"shop": "enabled"})
    assert [request.path for request in api.requests].count("/api/v1/namespaces/shop") == 1


def test_check_mode_returns_what_would_be(api: ApiServer, on_api: Run) -> None:
    planned = on_api("injection", namespaces=["shop", "new"], create_namespaces=True, check=True)
    assert labels(planned) == {"shop": "enabled", "new": "enabled"}
    assert not any("resourceVersion" in one["metadata"] for one in planned["resources"])


def test_what_is_deleted_is_not_returned() -> None:
    gone, kept = make("ConfigMap", "gone", "shop"), make("ConfigMap", "kept", "shop")
    plan = Plan(Unit("test", [kept]), [kept], {key_of(one).identity: one for one in (gone, kept)})
    plan.changes = [Change("delete", key_of(gone), gone, None)]
    assert [one["metadata"]["name"] for one in resources(plan)] == ["kept"]


@pytest.mark.parametrize("written", [True, False])
def test_values_of_secrets_are_never_returned(written: bool) -> None:
    secret = make("Secret", "login", "shop", data={"password": "c3dvcmRmaXNo"})
    plan = Plan(Unit("test", [secret]), [secret], {})
    plan.changes = [Change("create", key_of(secret), None, secret, desired=secret)]
    if written:
        plan.written[key_of(secret).identity] = secret
    assert "c3dvcmRmaXNo" not in str(resources(plan))
    assert resources(plan)[0]["data"].keys() == {"password"}
