# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A route that several tests begin with."""

from __future__ import annotations

from typing import Any

SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": 2}}]
CANARY: dict[str, Any] = {
    "name": "reviews",
    "hosts": ["reviews"],
    "subsets": SUBSETS,
    "http": [{"to": [{"subset": "v1", "weight": 80}, {"subset": "v2", "weight": 20}]}],
}
