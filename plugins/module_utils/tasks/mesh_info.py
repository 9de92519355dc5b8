# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of a mesh: control planes, gateways, namespaces and workloads."""

from __future__ import annotations

from typing import Any

from ..arguments import SUPPORT, ArgumentSpec
from ..task import Definition, Result, Task
from . import control_plane_info, ingress_info, injection_info
from .part import Part

GATEWAY = ("name", "namespace", "type", "hosts", "ports", "urls", "readiness_url", "pending")


def read(task: Task) -> Result:
    """Return the state."""
    wait = {name: task.params[name] for name in ("wait", "wait_timeout")}
    return {"changed": False, **state(task, **wait)}


def state(task: Task, **wait: Any) -> Result:
    """Return what three modules read, in one result. `task`: one with the options of SPEC."""
    parameters = task.params

    def part(title: str, definition: Definition, **options: object) -> Result:
        one = Part(task, title, definition, options, {}, check_mode=task.check_mode)
        return {name: value for name, value in one.plan().items() if name != "changed"}

    support = {name: parameters[name] for name in SUPPORT}
    installed = part("control_plane_info", control_plane_info.DEFINITION, namespace=parameters["namespace"], **support)
    injected = part("injection_info", injection_info.DEFINITION, namespaces=parameters["namespaces"])
    gateways = [
        part(
            "ingress_info",
            ingress_info.DEFINITION,
            name=gateway["name"],
            namespace=gateway["namespace"],
            **wait,
        )
        for control_plane in installed["control_planes"]
        for gateway in control_plane["gateways"]
        if gateway["component"] == "IngressGateways"
    ]
    found = [{name: gateway[name] for name in GATEWAY} for gateway in gateways]
    return {**installed, **injected, "gateways": found}


SPEC: ArgumentSpec = {
    "namespace": {"type": "str", "default": "istio-system"},
    "namespaces": {"type": "list", "elements": "str"},
    **SUPPORT,
}

DEFINITION = Definition(
    {**SPEC, "wait": {"type": "bool", "default": False}, "wait_timeout": {"type": "int", "default": 300}}, read
)
