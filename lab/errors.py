# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception that the lab shows to a person."""

from __future__ import annotations


class LabError(Exception):
    """One sentence: what failed, where, and what to do."""
