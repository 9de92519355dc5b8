# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of modules that return messages, and fail because of some."""

    DOCUMENTATION = r"""
options:
  fail_on:
    description:
      - From which level of message on the module fails.
    type: str
    choices: [error, warning, info, never]
    default: error
  tolerate:
    description:
      - Codes of messages because of which the module does not fail, for example V(IST0103).
      - With V(IST0103=Pod shop/*) only of what the pattern names, as the message's C(origin) does.
      - Tolerated messages are returned all the same.
    type: list
    elements: str
    default: []
"""
