# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: summary
short_description: Show the results of a run and write reports (JSON, JUnit, Markdown)
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Shows one table for all clusters, without a callback plugin. It is shown on standard error if the callback plugin of
    standard output has C(json) in its name, as P(ansible.posix.json#callback) has.
  - Writes reports for programs and for pull requests. They are also written in check mode, because they are not part of
    a cluster.
  - Sets the custom statistic C(mesh_result), which is the results by host. AWX keeps it as an artifact of the job.
  - Runs on the controller.
options:
  results:
    description:
      - Results by host, as in the variable C(mesh_result) of the role P(meshops.istio.mesh#role).
      - A result with C(error), a dictionary of C(task) and C(message), is from a run that failed.
    type: dict
    required: true
  show:
    description:
      - Show the table. If V(false), only the reports are written. Set it to V(false) for all batches of hosts except
        the last.
    type: bool
    default: true
  changes:
    description: Maximum number of changes to list for each cluster. Clusters with more changes only show their number.
    type: int
    default: 10
  json:
    description:
      - Path of a JSON report, with a C(status) for the run and for each of C(hosts), one of C(clean), C(drift),
        C(error).
    type: path
  junit:
    description:
      - Path of a JUnit report, with a test suite for each host and a test case for each check of
        C(meshops.istio.verify).
    type: path
  markdown:
    description: Path of a Markdown report, short enough for a comment on a pull request.
    type: path
attributes:
  check_mode:
    description: Returns the same result in check mode.
    support: full
"""

EXAMPLES = r"""
- name: Show the results
  meshops.istio.summary:
    results: "{{ {inventory_hostname: mesh_result} }}"
    json: build/mesh.json
"""

RETURN = r"""
status:
  description:
    - Worst status of all clusters. V(error) if a run failed, V(drift) if a check failed or a plan has changes, else
      V(clean).
  returned: success
  type: str
  sample: clean
code:
  description: Stable error code.
  returned: failure
  type: str
  sample: system
"""
