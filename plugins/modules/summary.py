# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: summary
short_description: Show what a run found out about clusters, and write reports of it
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Shows a table for people, once for all clusters, and needs no callback plugin for that.
  - Writes reports for programs and for pull requests, in check mode too, because they are no part of a cluster.
  - Runs on the controller.
options:
  results:
    description:
      - The results by host, each as the role P(meshops.istio.mesh#role) leaves it in C(mesh_result).
      - A result with C(error), of C(task) and C(message), is one of a run that did not come to its end.
    type: dict
    required: true
  show:
    description: Whether to show the table. A wave that others follow only writes the reports.
    type: bool
    default: true
  changes:
    description: Of how many changes of a cluster each is named. Beyond, they are only counted.
    type: int
    default: 10
  json:
    description: The path of a JSON file to write, with C(status), one of C(clean), C(drift) and C(error), for all and
      for each of C(hosts).
    type: path
  junit:
    description: The path of a JUnit file to write, with a suite for each host and a case for each assertion of
      C(meshops.istio.verify).
    type: path
  markdown:
    description: The path of a page in Markdown to write, short enough for a comment on a pull request.
    type: path
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
"""

EXAMPLES = r"""
- name: Show what came of it
  meshops.istio.summary:
    results: "{{ {inventory_hostname: mesh_result} }}"
    json: build/mesh.json
"""

RETURN = r"""
status:
  description:
    - How the clusters stand, the worst of all. V(error) where a run did not come to its end, V(drift) where an assertion
      does not hold or a plan has changes, else V(clean).
  returned: success
  type: str
  sample: clean
code:
  description: A stable word for the kind of failure.
  returned: failure
  type: str
  sample: system
"""
