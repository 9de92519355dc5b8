# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recreation of objects with immutable fields."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that can recreate objects."""

    DOCUMENTATION = r"""
options:
  recreate:
    description:
      - Delete and recreate objects that differ in immutable fields, such as the template of a Job, the selector of a
        Deployment, or the C(volumeClaimTemplates) of a StatefulSet.
      - By default, the module fails before the first write if objects differ in immutable fields.
      - Only objects that differ in immutable fields are recreated. RV(changes) lists them twice, as deleted and as
        created.
      - A recreated StatefulSet keeps its PersistentVolumeClaims, and its pods if the new selector matches them. Claims
        are expanded to the requested size if their StorageClass allows it.
      - PersistentVolumeClaims, PersistentVolumes, Namespaces and CustomResourceDefinitions are never recreated.
    type: bool
    default: false
"""
