# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as the same cluster after a killed run."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.inventory import Inventory
from ansible_collections.meshops.istio.tests.chaos.runs import State, without_listed_gone

WEB, OLD = (
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"}}
    for name in ("web", "old")
)
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop", "namespace": "shop"}, "data": {}}


def cluster(*objects: dict[str, Any], listed: list[dict[str, Any]]) -> State:
    listing = Inventory("application", "shop", "shop").listing([key_of(obj) for obj in listed])
    assert listing is not None
    return {key_of(obj): obj for obj in (*objects, listing)}


def test_an_inventory_may_list_what_has_gone() -> None:
    assert without_listed_gone(cluster(WEB, listed=[OLD, WEB])) == cluster(WEB, listed=[WEB])


def test_an_inventory_must_list_what_is_there() -> None:
    found = without_listed_gone(cluster(WEB, OLD, SETTINGS, listed=[WEB]))
    assert found != without_listed_gone(cluster(WEB, OLD, SETTINGS, listed=[OLD, WEB]))
    assert found == cluster(WEB, OLD, SETTINGS, listed=[WEB])
