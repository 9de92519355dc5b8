# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the control planes, gateways and proxies of a cluster."""

from __future__ import annotations

from ..arguments import SUPPORT
from ..istio.inspection.control_planes import read_installed
from ..task import Definition, Result, Task


def read(task: Task) -> Result:
    """Return the control planes, gateways and proxies of the cluster."""
    cluster = task.cluster
    support = task.support()
    installed = read_installed(cluster, task.params["namespace"] or "")
    images = installed.pop("images")
    findings = [finding for version in images for finding in support.findings(version, images=images[version])]
    found = {"changed": False, "server": cluster.server, "kubernetes": str(cluster.version()), **installed}
    return {**found, "findings": findings}


DEFINITION = Definition(
    {"namespace": {"type": "str"}, **SUPPORT},
    read,
)
