# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes of all modules. Modules override those that differ."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that change a cluster, and of modules that only read (INFO)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Supports check mode. Returns the changes that would be made, without writing to the API.
    support: full
  diff_mode:
    description: Returns a diff of each object that changes, or would change in check mode.
    support: full
  idempotent:
    description: A second run with the same options changes nothing and does not write to the API.
    support: full
  async:
    description: Supports C(async).
    support: full
author:
  - The meshops.istio authors (@meshops)
"""

    INFO = r"""
attributes:
  check_mode:
    description: Supports check mode. The module only reads.
    support: full
  diff_mode:
    description: Returns a diff of each object that changes, or would change in check mode.
    support: N/A
    details: The module only reads.
  idempotent:
    description: A second run with the same options changes nothing and does not write to the API.
    support: full
  async:
    description: Supports C(async).
    support: full
author:
  - The meshops.istio authors (@meshops)
"""
