# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that return messages and fail on some of them."""

    DOCUMENTATION = r"""
options:
  fail_on:
    description:
      - Lowest level of messages that makes the module fail. With V(never), messages do not make the module fail.
    type: str
    choices: [error, warning, info, never]
    default: error
  tolerate:
    description:
      - Codes of messages to ignore, for example V(IST0103).
      - V(IST0103=Pod shop/*) ignores the code only for messages whose C(origin) matches the pattern.
      - Ignored messages are still returned.
    type: list
    elements: str
    default: []
"""
