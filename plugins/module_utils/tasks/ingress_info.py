# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the addresses of a gateway."""

from __future__ import annotations

from functools import partial

from ..istio.gateways.addresses import (
    describe,
    read_ingress,
    why_pending,
)
from ..kube.errors import InvalidInput, NotReady
from ..kube.objects.objects import Key
from ..kube.plan.permissions import refuse_denied, watching
from ..kube.wait.status import status
from ..kube.wait.wait import wait_ready
from ..task import Definition, Result, Task


def read(task: Task) -> Result:
    """Return the hosts, ports and URLs of the gateway."""
    name, namespace = task.params["name"], task.params["namespace"]
    try:
        found = read_ingress(task.cluster, name, namespace)
    except InvalidInput:
        if not task.check_mode:
            raise
        found = {**describe({"metadata": {"name": name, "namespace": namespace}}), **NOWHERE}
    if found["pending"] and found["type"]:
        service = Key("v1", "Service", namespace, name)
        waits = found["type"] == "LoadBalancer" and task.params["wait"]
        if waits:
            refuse_denied(task.cluster, watching(task.cluster, service.of, namespace))
        if waits and not task.check_mode:
            wait_for_address(task, service, found)
            found = read_ingress(task.cluster, name, namespace)
        else:
            task.warn(why_pending(task.cluster, found))
    return {"changed": False, **found}


NOWHERE: Result = {
    "type": "",
    "hosts": [],
    "addresses": [],
    "ports": {},
    "urls": {},
    "readiness_url": "",
    "pending": True,
}
"""Result for a gateway that does not exist yet."""


def wait_for_address(task: Task, service: Key, found: Result) -> None:
    """Wait until the load balancer has an address."""
    seconds = task.time_limit
    try:
        addressed = partial(status, load_balancer=True)
        wait_ready(task.cluster, [service], timeout=seconds, progress=task.progress, expect=addressed)
    except NotReady as error:
        raise NotReady(
            f"{why_pending(task.cluster, found)} Timed out waiting for it after {seconds} s.", **error.details
        ) from error


DEFINITION = Definition(
    {
        "name": {"type": "str", "default": "istio-ingressgateway"},
        "namespace": {"type": "str", "default": "istio-system"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
    },
    read,
)
