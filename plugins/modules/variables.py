# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: variables
short_description: Read a role's variables without showing them
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Returns what P(meshops.istio.conform#filter) makes of variables. The result can be registered, but neither the output
    nor the events of a job show it, because manifests and values among the variables may hold secrets.
  - An error in a template among the variables is shown, which C(no_log) would hide.
  - Runs on the controller.
options:
  conformed:
    description:
      - The variables, as P(meshops.istio.conform#filter) returns them.
    type: dict
    required: true
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
"""

EXAMPLES = r"""
- name: Read the variables
  meshops.istio.variables:
    conformed: "{{ given | meshops.istio.conform(options) }}"
  register: read
"""

RETURN = r"""
settings:
  description: A converted value for each option.
  returned: success
  type: dict
  sample: {mesh_wait: true}
errors:
  description: One sentence for each value that cannot be meant.
  returned: success
  type: list
  elements: str
  sample: ["mesh_wait must be true or false, but it is 'perhaps'."]
"""
