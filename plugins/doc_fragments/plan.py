# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what a module is about to write."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that plans and applies objects."""

    DOCUMENTATION = r"""
options:
  ignore_fields:
    description:
      - Paths of fields that are left to whoever else sets them, for example V(spec.replicas).
    type: list
    elements: str
    default: []
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. The module refuses to apply any other plan.
    type: str
"""
