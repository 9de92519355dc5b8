# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether objects are created anew that cannot be changed in place."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of modules that can delete objects and create them anew."""

    DOCUMENTATION = r"""
options:
  recreate:
    description:
      - Whether to delete objects and create them anew that differ in immutable fields, such as the template of a Job, the
        selector of a Deployment, or the C(volumeClaimTemplates) of a StatefulSet. By default they are refused before
        anything is written.
      - Only the objects that need it are deleted. They are in RV(changes) twice, deleted and created.
      - A StatefulSet leaves its pods to the new one where that selects them, and always its claims, which grow to the
        size that it asks for where their StorageClass allows it.
      - PersistentVolumeClaims, PersistentVolumes, Namespaces and CRDs are never deleted for this.
    type: bool
    default: false
"""
