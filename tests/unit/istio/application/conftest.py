# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules' tests run modules with."""

from __future__ import annotations

from ansible_collections.meshops.istio.tests.unit.modules.conftest import _no_surroundings, api, on_api, run_module

__all__ = ["_no_surroundings", "api", "on_api", "run_module"]
