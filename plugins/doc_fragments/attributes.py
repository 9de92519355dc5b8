# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module supports; a module says so itself where it differs."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that change a cluster, and of those that only read (INFO)."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without a write at the API.
    support: full
  diff_mode:
    description: Returns what changes, or would change, object by object.
    support: full
  idempotent:
    description: A second run with the same options changes nothing and makes no write at the API.
    support: full
  async:
    description: Can be run with C(async).
    support: full
author:
  - The meshops.istio authors (@meshops)
"""

    INFO = r"""
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Returns what changes, or would change, object by object.
    support: N/A
    details: Changes nothing.
  idempotent:
    description: A second run with the same options changes nothing and makes no write at the API.
    support: full
  async:
    description: Can be run with C(async).
    support: full
author:
  - The meshops.istio authors (@meshops)
"""
