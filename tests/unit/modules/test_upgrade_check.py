# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of an upgrade, as their module and as part of the precheck, and the state of one as data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import Support
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.record import Plane, Record
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.plugins.module_utils.tasks import upgrade_check, upgrade_info
from ansible_collections.meshops.istio.plugins.module_utils.tasks.precheck import upgrade_messages
from ansible_collections.meshops.istio.tests.support.memory_cluster import (
    MemoryCluster,
    deployment,
    injector,
    make,
    namespace,
    pod,
)

SYSTEM = "istio-system"
OLD = Plane("default", "1.29.1")


@pytest.fixture
def cluster() -> MemoryCluster:
    """A mesh with an EnvoyFilter and a workload that a restart interrupts."""
    image = {"name": "discovery", "image": f"docker.io/istio/pilot:{OLD.version}"}
    labels = {"app": "istiod", "istio.io/rev": "default"}
    template = {"template": {"spec": {"containers": [image]}}}
    recreated = {"strategy": {"type": "Recreate"}, "replicas": 1}
    return MemoryCluster(
        deployment("istiod", SYSTEM, labels=labels, spec=template),
        injector(),
        namespace("shop", istio_injection="enabled"),
        deployment("web", spec=recreated),
        pod("web-1-x", owner=("ReplicaSet", "web-1"), proxy=OLD.version),
        make("EnvoyFilter", "lua", "shop", api="networking.istio.io/v1alpha3", spec={"configPatches": []}),
    )


def checked(cluster: MemoryCluster, **options: Any) -> dict[str, Any]:
    defaults = {name: one.get("default") for name, one in upgrade_check.DEFINITION.spec.items()}
    task = SimpleNamespace(params={**defaults, **options}, cluster=cluster)
    return upgrade_check.check(cast(Any, task))


def levels(found: list[dict[str, str]]) -> dict[str, str]:
    return {one["code"]: one["level"] for one in found}


def test_an_upgrade_with_a_second_control_plane_is_checked(cluster: MemoryCluster) -> None:
    result = checked(cluster, control_plane={"version": "1.31.0"})
    assert result["upgrade"]["to"] == {"revision": "1-31-0", "version": "1.31.0"}
    found = levels(result["findings"])
    assert (found["interrupted"], found["envoy_filter"], found["skipped_minors"]) == ("error", "warning", "warning")
    assert (
        levels(checked(cluster, control_plane={"version": "1.31.0"}, interrupt=True)["findings"])["interrupted"]
        == "warning"
    )


def test_an_upgrade_in_place_skips_no_version(cluster: MemoryCluster) -> None:
    result = checked(cluster, control_plane={"version": "1.31.0"}, in_place=True)
    assert levels(result["findings"])["skipped_minors"] == "error"
    assert result["upgrade"]["to"]["revision"] == "default"
    with pytest.raises(MeshError, match="other"):
        checked(cluster, control_plane={"version": "1.31.0", "revision": "other"}, in_place=True)


@pytest.mark.parametrize(
    ("new", "code", "level"),
    [
        (Plane("default", "1.31.0"), "skipped_minors", "error"),
        (Plane("1-31-0", "1.31.0"), "skipped_minors", "warning"),
        (Plane("default", "1.30.4"), "interrupted", "warning"),
    ],
)
def test_the_precheck_of_another_version_has_the_checks_of_its_upgrade(
    cluster: MemoryCluster, new: Plane, code: str, level: str
) -> None:
    assert levels(upgrade_messages(cluster, new, Support(), SYSTEM))[code] == level


def test_the_precheck_of_the_installed_version_has_none(cluster: MemoryCluster) -> None:
    assert upgrade_messages(cluster, OLD, Support(), SYSTEM) == []
    assert upgrade_messages(MemoryCluster(), OLD, Support(), SYSTEM) == []


def test_without_permission_the_precheck_says_what_was_not_checked(cluster: MemoryCluster) -> None:
    cluster.forbid(Kind("networking.istio.io/v1", "DestinationRule"))
    assert levels(upgrade_messages(cluster, Plane("1-31-0", "1.31.0"), Support(), SYSTEM)) == {
        "upgrade_unchecked": "info"
    }


def test_where_an_upgrade_stands_is_read_as_data(cluster: MemoryCluster) -> None:
    task = SimpleNamespace(params={"namespace": SYSTEM}, cluster=cluster)
    before = upgrade_info.read(cast(Any, task))
    assert (before["upgrade"], before["next"]) == ({}, "")
    shop = {"name": "shop", "revision": "default", "labels": {"istio-injection": "enabled"}, "proxies": {"default": 1}}
    assert before["namespaces"] == [shop]
    record = Record(OLD, Plane("1-31-0", "1.31.0"), ("default",), {"shop": {"istio-injection": "enabled"}})
    cluster.put(dict(record.unit(SYSTEM).objects[0]))
    begun = upgrade_info.read(cast(Any, task))
    assert (begun["next"], begun["remaining"]["namespaces"]) == ("control_plane", ["shop"])
