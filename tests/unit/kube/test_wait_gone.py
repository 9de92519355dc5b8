# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Waiting until objects are gone."""

from __future__ import annotations

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait import (
    wait_gone,
)
from ansible_collections.meshops.istio.tests.unit.kube.fake_cluster import FakeCluster
from ansible_collections.meshops.istio.tests.unit.kube.waiting import (
    LONG,
    WEB,
    Late,
    deployment,
    obj,
)

# --- gone


def test_gone() -> None:
    cluster = FakeCluster(deployment(ready=1))
    cluster.on_watch.append(lambda: cluster.remove(WEB))
    wait_gone(cluster, [WEB, WEB._replace(name="never")], timeout=LONG, progress=silent)


def test_what_is_held_is_named_with_its_holder(late: Late) -> None:
    held = obj("v1", "Namespace", "mesh", "", spec={})
    held["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/keep"]}
    error = late(FakeCluster(held), key_of(held), wait=wait_gone)
    assert str(error) == "Namespace mesh still exists after 60 s: held by the finalizers example.com/keep."
