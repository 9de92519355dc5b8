# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Common options of the traffic and security modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that manage traffic and security objects of Istio."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the objects.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the objects. It must exist.
    type: str
    default: default
  state:
    description:
      - V(present) creates or updates the objects. V(absent) deletes the objects that this module created with this
        name. Objects of others are not deleted.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Ignore failed checks of the cluster. They are returned as warnings.
      - Objects that the API server or Istio's validating webhook rejects still make the module fail.
      - Also change and delete objects that belong to Helm, Argo CD, Flux or another tool or controller, and fields that
        other field managers have set.
    type: bool
    default: false
"""
