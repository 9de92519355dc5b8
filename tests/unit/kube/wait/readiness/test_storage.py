# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ready: claims on volumes."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import State, status
from ansible_collections.meshops.istio.tests.support.kube.readiness import Object, make
from ansible_collections.meshops.istio.tests.support.messages import has_facts


@pytest.mark.parametrize(
    ("obj", "state", "message"),
    [
        # PersistentVolumeClaim
        pytest.param(make("v1", "PersistentVolumeClaim", phase="Bound"), "current", "bound", id="claim"),
        pytest.param(
            make("v1", "PersistentVolumeClaim", phase="Pending"),
            "in_progress",
            "not bound, its phase is Pending",
            id="claim-pending",
        ),
    ],
)
def test_status(obj: Object, state: State, message: str) -> None:
    found = status(obj)
    assert found.state == state
    assert has_facts(found.message, message)


def test_a_claim_that_has_lost_its_volume_is_lost_for_good() -> None:
    claim = make("v1", "PersistentVolumeClaim", spec={"volumeName": "disk-7"}, phase="Lost")
    assert (status(claim).state, status(claim).final) == ("failed", True)
    assert "disk-7" in status(claim).message
