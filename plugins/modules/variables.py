# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: variables
short_description: Convert and validate role variables without logging them
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Returns the result of P(meshops.istio.conform#filter). The result can be registered, but it is not shown in the
    output or in job events, because manifests and values may contain secrets.
  - Errors in templates of variables are shown, unlike with C(no_log).
  - Runs on the controller.
options:
  conformed:
    description:
      - Result of P(meshops.istio.conform#filter).
    type: dict
    required: true
attributes:
  check_mode:
    description: Returns the same result in check mode.
    support: full
"""

EXAMPLES = r"""
- name: Convert and validate the variables
  meshops.istio.variables:
    conformed: "{{ given | meshops.istio.conform(options) }}"
  register: read
"""

RETURN = r"""
settings:
  description: Converted value of each option.
  returned: success
  type: dict
  sample: {mesh_wait: true}
errors:
  description: Errors, one sentence for each invalid value.
  returned: success
  type: list
  elements: str
  sample: ["mesh_wait must be true or false, but it is 'perhaps'."]
"""
