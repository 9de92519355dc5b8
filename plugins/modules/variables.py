# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: variables
short_description: Validate the variables of a role
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Converts the variables of the role that the task is in to the types of its argument specification and validates
    them, as P(meshops.istio.conform#filter) does. Fails with one sentence for each variable that is not valid.
  - Fails for a variable with the prefix C(mesh_) that is neither an option of the role nor used by it, and whose name
    is similar to an option, such as C(mesh_inject_ns). Shows a warning for other unknown variables with this prefix.
  - Fails for an extra variable with the name of a result or of an internal variable of the role, such as
    C(-e mesh_connection=...) and C(-e __mesh_steps=...).
  - Returns the converted value of each option that is not marked C(no_log), by its name. Neither the output nor the
    events of a job show the values, because they may contain secrets.
  - Fails on an ansible-core that is older than the collection supports.
  - Runs on the controller.
options:
  others:
    description:
      - Variables with the prefix of the role that are not options of the role, such as those of a playbook.
    type: list
    elements: str
    default: []
  required_one_of:
    description:
      - Lists of options, such as V([[canary_subset, canary_destination]]). At least one of each list must be set.
    type: list
    elements: list
    default: []
  confirmation:
    description:
      - An option that must be V(true) before anything is done, such as one that confirms a removal. Not required in
        check mode.
    type: dict
    suboptions:
      option:
        description: The name of the option.
        type: str
        required: true
      when:
        description: Values of options with which the confirmation is required. By default it is always required.
        type: dict
        default: {}
      message:
        description: The error message when the confirmation is missing.
        type: str
        required: true
attributes:
  check_mode:
    description: Returns the same result in check mode.
    support: full
"""

EXAMPLES = r"""
- name: Validate variables
  meshops.istio.variables:
    confirmation:
      option: mesh_uninstall_confirm
      when: {mesh_state: absent}
      message: Nothing was removed, because mesh_uninstall_confirm is not true. Set it to true to remove the mesh.
  register: mesh_checked
"""

RETURN = r"""
code:
  description: A stable word for the kind of failure.
  returned: failure
  type: str
  sample: invalid_input
"""
