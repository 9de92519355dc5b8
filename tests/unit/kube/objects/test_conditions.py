# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions of an object's status."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.conditions import (
    condition,
    conditions,
    is_ready,
    reason,
)

READY = {"type": "Ready", "status": "True"}
PENDING = {"type": "Ready", "status": "False", "reason": "Pending", "message": "No node fits."}


@pytest.mark.parametrize(
    "status", [None, "starting", {"conditions": None}, {"conditions": "Ready"}, {"conditions": ["Ready", None]}]
)
def test_conditions_of_another_type_count_as_absent(status: Any) -> None:
    obj = {"status": status}
    assert (conditions(obj), condition(obj, "Ready"), is_ready(obj)) == ([], {}, False)


def test_ready_is_the_condition_of_that_name() -> None:
    assert is_ready({"status": {"conditions": [{"type": "Scheduled", "status": "False"}, READY]}})
    assert not is_ready({"status": {"conditions": [PENDING]}})


def test_the_reason_is_one_phrase() -> None:
    assert reason(PENDING) == "Pending: No node fits"
    assert reason({"type": "Ready", "status": "Unknown"}) == "Ready is Unknown"
