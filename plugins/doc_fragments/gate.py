# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of gates."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that measure before they go on."""

    DOCUMENTATION = r"""
options:
  prometheus:
    description:
      - Gate based on a Prometheus query.
    type: dict
    suboptions:
      url:
        description:
          - URL of Prometheus, as reached from the host that runs the module.
        type: str
      service:
        description:
          - Service of Prometheus, reached through the API server, for example V(istio-system/prometheus:9090).
        type: str
      query:
        description:
          - PromQL query that returns a single number.
        type: str
        required: true
      min:
        description:
          - Minimum value for the gate to pass.
        type: float
      max:
        description:
          - Maximum value for the gate to pass.
        type: float
  answers:
    description:
      - Gate based on test requests. A request succeeds if its response has a status below 500.
    type: dict
    suboptions:
      url:
        description:
          - URL of the requests, for example of the ingress gateway.
        type: str
        required: true
      host:
        description:
          - "C(Host) header of the requests. Default: the host of the URL."
        type: str
      count:
        description:
          - Number of requests at each step.
        type: int
        default: 50
      min_success:
        description:
          - Minimum percentage of successful requests.
        type: float
        default: 99
"""
