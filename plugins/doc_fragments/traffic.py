# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of traffic and security have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that builds Istio's objects of traffic and security."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - The name of what is built. Istio's objects are named after it.
    type: str
    required: true
  namespace:
    description:
      - The namespace of the objects. It has to exist.
    type: str
    default: default
  state:
    description:
      - Whether the objects are to be there. With V(absent) those are removed that the module made under this name; an
        object that somebody else made stays.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Whether to go on where a look at the cluster speaks against it. What would have been refused is a warning then.
      - What the API server or Istio's own webhook refuses stays refused.
      - Also whether to change and delete objects that belong to Helm, Argo CD, Flux or another tool or controller, and
        fields that other field managers have set.
    type: bool
    default: false
"""
