# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of plans."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that plan and apply objects."""

    DOCUMENTATION = r"""
options:
  ignore_fields:
    description:
      - Paths of fields that the module does not set, because others manage them, for example V(spec.replicas).
      - Fields that controllers set at run time do not need to be listed, such as the replicas of a Deployment with a
        HorizontalPodAutoscaler.
    type: list
    elements: str
    default: []
  plan_digest:
    description:
      - The RV(plan_digest) of an earlier run in check mode. If the plan has changed since then, the module fails before
        the first write.
    type: str
  force:
    description:
      - Change and delete objects and fields that belong to others.
      - By default, the module fails for objects of Helm, Argo CD, Flux or another tool, for objects that have a
        controller as their owner, and for fields that another field manager has set to another value.
      - The module returns a warning for each object and field that it takes over.
    type: bool
    default: false
"""
