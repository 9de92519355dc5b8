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
      - Fields that controllers set at run time, such as replicas under an autoscaler, need not be named.
    type: list
    elements: str
    default: []
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. The module refuses to apply any other plan.
    type: str
  force:
    description:
      - Whether to change and delete what belongs to others. Otherwise the module refuses an object of Helm, Argo CD, Flux
        or another tool, an object with a controller as its owner, and a field that another field manager has set to
        another value.
      - The module warns of each object and field that it takes.
    type: bool
    default: false
"""
