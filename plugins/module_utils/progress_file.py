# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module and its action plugin find each other; apart, because the controller needs nothing else of a module."""

from __future__ import annotations

PROGRESS_FILE = "MESHOPS_PROGRESS"
"""Environment variable with the path of a file whose lines the action plugin shows while the module runs."""

PHASES = "phases"
"""Key of a result that the action plugin takes out of it and shows, for a run with -v."""
