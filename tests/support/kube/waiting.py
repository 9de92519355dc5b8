# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Objects that are waited for, and a clock that runs out when a test says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import NotReady
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind

Object = dict[str, Any]

LONG = 60.0
"""Seconds that no test gets to see."""

OBSERVE = "ansible_collections.meshops.istio.plugins.module_utils.kube.wait.watch"

DEPLOYMENT = Kind("apps/v1", "Deployment")
WEB = Key("apps/v1", "Deployment", "shop", "web")


def obj(api_version: str, kind: str, name: str, namespace: str = "shop", **fields: Any) -> Object:
    labels = fields.pop("labels", {})
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def deployment(name: str = "web", namespace: str = "shop", *, ready: int) -> Object:
    available = {"type": "Available", "status": "True" if ready else "False"}
    progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    return obj(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        spec={"replicas": 1, "selector": {"matchLabels": {"app": name}}},
        status={
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": ready,
            "readyReplicas": ready,
            "conditions": [available, progressing],
        },
    )


def pod(name: str = "web-5d-x1", *, containers: Any = (), conditions: Any = (), **fields: Any) -> Object:
    return obj(
        "v1",
        "Pod",
        name,
        labels={"app": "web"},
        status={"phase": "Pending", "containerStatuses": list(containers), "conditions": list(conditions)},
        **fields,
    )


def warning(about: str, reason: str, message: str, seen: str = "2026-01-01T00:00:00Z") -> Object:
    kind, name = about.split()
    return obj(
        "v1",
        "Event",
        f"{name}.{reason}",
        type="Warning",
        reason=reason,
        message=message,
        lastTimestamp=seen,
        involvedObject={"kind": kind, "name": name},
    )


def endpoint_slice(*, ready: bool | None, addresses: Any = ("10.0.0.1",)) -> Object:
    conditions = {} if ready is None else {"ready": ready}
    return obj(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "web-abc",
        labels={"kubernetes.io/service-name": "web"},
        endpoints=[{"addresses": list(addresses), "conditions": conditions}],
    )


class Clock:
    """Tells the time, and can be put on so that all the time there was is over."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def run_out(self) -> None:
        self._ahead += LONG


WAITING_FOR_IMAGE = {
    "name": "app",
    "ready": False,
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nope"'}},
}

Late = Callable[..., NotReady]
"""Wait in vain, and return the error."""
