# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the CRDs of the Gateway API."""

from __future__ import annotations

from ..arguments import DOWNLOAD, PLAN, WAIT
from ..istio.gateways import gateway_api_crds
from ..task import Definition, Result, Task


def present(task: Task) -> Result:
    """Install the CRDs, or upgrade those that this task installed."""
    there = gateway_api_crds.installed(task.cluster)
    if there is not None and not there.ours:
        return left(task, there)
    parameters = task.params
    sources = parameters["src"] or [gateway_api_crds.release_url(parameters["version"], parameters["channel"])]
    objects = task.read_sources(sources)
    wanted = gateway_api_crds.contained(objects)
    if there is not None and gateway_api_crds.is_older(wanted, there):
        return left(task, there)
    result = task.reconcile(gateway_api_crds.unit(objects), lock=gateway_api_crds.LOCK)
    return {**result, "version": wanted.version, "channel": wanted.channel, "managed": True}


def left(task: Task, there: gateway_api_crds.Installed) -> Result:
    """Return the result without changes."""
    nothing = task.reconcile(gateway_api_crds.unit([]), lock=gateway_api_crds.LOCK)
    return {**nothing, "version": there.version, "channel": there.channel, "managed": there.ours}


DEFINITION = Definition(
    {
        "version": {"type": "str", "default": "v1.4.0"},
        "channel": {"type": "str", "choices": ["standard", "experimental"], "default": "standard"},
        "src": {"type": "list", "elements": "raw", "default": []},
        **DOWNLOAD,
        **PLAN,
        **WAIT,
    },
    present,
)
