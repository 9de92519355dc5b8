# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of a site against one cluster at once: each ends well, and together they leave what one leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

LEASE = Kind("coordination.k8s.io/v1", "Lease")


def test_two_runs_at_once_leave_what_one_leaves(lab: Lab, cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    mesh = {**lab.variables, "mesh_profile": "minimal", "mesh_inject_namespaces": [namespace]}

    def site(number: int) -> Run:
        folder = tmp_path / str(number)
        folder.mkdir(exist_ok=True)
        return run_playbook("meshops.istio.site", hosts={"one": mesh}, folder=folder)

    with ThreadPoolExecutor() as pool:
        both = list(pool.map(site, (1, 2)))
    assert [run.returncode for run in both] == [0, 0], both[0].text + both[1].text

    begun = now()
    again = site(1)
    assert again.changed["one"] == 0, again.text
    assert lab.writes_since(begun) == 0
    assert cluster.get(LEASE, LOCK.name, LOCK.namespace) is None
