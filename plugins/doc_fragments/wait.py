# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until what was applied is ready."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that waits."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until everything is ready. Nothing is waited for in check mode.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. When the time is up the module fails and says what is not ready, and why.
    type: int
    default: 300
"""
