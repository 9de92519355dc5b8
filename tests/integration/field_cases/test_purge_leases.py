# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a purge leaves of istiod's leader elections: nothing, of any revision and release; those of others stay."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

Object = dict[str, Any]

LEASE, CONFIG_MAP = Kind("coordination.k8s.io/v1", "Lease"), Kind("v1", "ConfigMap")
ELECTED = {"control-plane.alpha.kubernetes.io/leader": '{"holderIdentity":"istiod"}'}

OLD: list[tuple[Kind, str, Object]] = [
    *((LEASE, name, {}) for name in ("istio-gateway-status-leader-canary", "istio-gateway-inferencepool-canary")),
    *(
        (CONFIG_MAP, name, ELECTED)
        for name in ("istio-leader", "istio-gateway-leader", "istio-validation-controller-election")
    ),
]
"""Elections of another revision, and of releases that held them in ConfigMaps."""

OTHERS: list[tuple[Kind, str, Object]] = [(CONFIG_MAP, "istio-leader-of-somebody", {}), (LEASE, "somebody", {})]


def names(cluster: Cluster) -> set[str]:
    found = [*cluster.list(LEASE, "istio-system"), *cluster.list(CONFIG_MAP, "istio-system")]
    return {one["metadata"]["name"] for one in found}


@pytest.mark.usefixtures("in_mesh")
@pytest.mark.step("purge 01", "leader elections after a purge")
def test_no_election_survives_a_purge(run: Run, idle: Run, cluster: Cluster, seen: Seen, tmp_path: Any) -> None:
    for kind, name, notes in [*OLD, *OTHERS]:
        metadata = {"name": name, "namespace": "istio-system", "annotations": notes}
        cluster.apply({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}, manager="somebody")
    until = time.monotonic() + 60
    while not any(name.startswith("istio-gateway-status-leader-d") for name in names(cluster)):
        assert time.monotonic() < until, "istiod elects nobody"
        time.sleep(0.5)
    before = names(cluster)
    purge = {"state": "absent", "purge": True, "force": True, "backup": str(tmp_path / "saved.yaml")}
    run("control_plane", **purge)
    idle("control_plane", **purge)
    after = names(cluster)
    seen(f"removed {', '.join(sorted(before - after))}; kept {', '.join(sorted(after))}")
    assert after <= {"istio-leader-of-somebody", "kube-root-ca.crt", "somebody"}
    assert {"istio-leader-of-somebody", "somebody"} <= after
