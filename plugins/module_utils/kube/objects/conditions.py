# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Ready condition of pods and nodes: the one place that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_ready(obj: Mapping[str, Any]) -> bool:
    """Return whether the condition Ready of a pod or a node is True."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
