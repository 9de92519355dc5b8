# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the proxies have received what was written or deleted.

The API server has accepted a change before istiod has read it, and istiod waits for more changes before it sends any.
An Envoy with a changed listener keeps the former one for open connections, until it has drained them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...kube.api.pod_http import ask
from ...kube.api.responses import decoded
from ...kube.errors import MeshError
from ...kube.objects.kinds import POD
from ...kube.objects.shapes import maps_of
from ..model.proxies import proxy_of
from .proxy_sync import ENVOY_PORT, ISTIOD_PORT, runs, unacknowledged

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.objects.objects import Object
    from ...kube.plan.plan import Plan
    from ...kube.progress import Progress

WITHIN = 20.0
"""Seconds after which a change should have reached all proxies; one that cannot be reached must not fail the others."""

DRAINED_WITHIN = 60.0
"""Seconds after which no open connection should have former settings; Envoy drains for 45 by default (drainDuration)."""

_DEBOUNCE = 0.3
"""Seconds until istiod sends a change: by default it waits until there was no other for 0.1 s (PILOT_DEBOUNCE_AFTER)."""

_PAUSE = 0.2
_GROUPS = ("extensions.istio.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io")


def wait_for_proxies(cluster: Cluster, plan: Plan, *, timeout: float, progress: Progress) -> str:
    """Wait until all proxies have acknowledged the changes of a plan; return a warning if they have not in time.

    For a former EnvoyFilter, also wait until its proxies have drained the connections that it still applies to.
    Does not wait for istiods that do not run or do not answer, or without permission to forward ports to them.
    """
    begun = time.monotonic()
    changed = {change.key.identity: plan.written.get(change.key.identity) for change in plan.changes}
    changed = {identity: obj for identity, obj in changed.items() if identity[0] in _GROUPS}
    if not changed:
        return ""
    try:
        istiods = [pod for pod in cluster.list(POD, label_selector="app=istiod") if runs(pod)]
        if not istiods:
            return ""
        late = _waiting(cluster, istiods, changed, begun + min(timeout, WITHIN), progress)
        if late:
            return f"After {min(timeout, WITHIN):.0f} s the change had not reached {late}."
        draining = _draining(cluster, _filtered(cluster, plan), begun + min(timeout, DRAINED_WITHIN), progress)
    except (ImportError, MeshError):  # the library for port-forwards may be missing
        return ""
    return f"Open connections to {draining} still have the former settings." if draining else ""


def _waiting(
    cluster: Cluster, istiods: Sequence[Object], changed: dict[Any, Object | None], ends: float, progress: Progress
) -> str:
    """Wait until `ends`; return who has not received the changes by then, empty if all have."""
    late = istiods
    while late := [one for one in late if not _has_read(cluster, one, changed)]:
        if time.monotonic() >= ends:
            return f"Pod {late[0]['metadata']['namespace']}/{late[0]['metadata']['name']}"
        time.sleep(_PAUSE)
    time.sleep(_DEBOUNCE)
    while proxies := _stale(cluster, istiods):
        if time.monotonic() >= ends:
            return f"{len(proxies)} proxies, such as Pod {proxies[0]}"
        progress(f"waiting for {len(proxies)} proxies to receive the change, such as Pod {proxies[0]}")
        time.sleep(_PAUSE)
    return ""


def _has_read(cluster: Cluster, istiod: Object, changed: dict[Any, Object | None]) -> bool:
    """Return whether an istiod has the objects as they were written, and none of those that were deleted."""
    metadata = istiod["metadata"]
    configuration = ask(cluster, metadata["namespace"], metadata["name"], ISTIOD_PORT, "/debug/configz")
    objects = [one for one in maps_of(decoded(configuration.encode())) if isinstance(one.get("metadata"), dict)]
    known = {_identity(one): _version(one) for one in objects}
    return all(
        identity not in known if obj is None else known.get(identity, -1) >= _version(obj)
        for identity, obj in changed.items()
    )


def _identity(obj: Object) -> Any:
    metadata = obj["metadata"]
    group = str(obj.get("apiVersion", "")).partition("/")[0]
    return (group, obj.get("kind"), metadata.get("namespace", ""), metadata.get("name"))


def _version(obj: Object) -> int:
    version = str(obj["metadata"].get("resourceVersion", ""))
    return int(version) if version.isdigit() else 0


def _filtered(cluster: Cluster, plan: Plan) -> list[Object]:
    """Return the pods with a proxy that a former EnvoyFilter of the plan applied to."""
    pods: list[Object] = []
    for change in plan.changes:
        if change.key.kind == "EnvoyFilter" and change.before is not None:
            selector = (change.before.get("spec") or {}).get("workloadSelector") or {}
            labels = ",".join(f"{name}={value}" for name, value in (selector.get("labels") or {}).items())
            pods += cluster.list(POD, change.key.namespace, label_selector=labels)
    return [pod for pod in pods if runs(pod) and proxy_of(pod) is not None]


def _draining(cluster: Cluster, pods: Sequence[Object], ends: float, progress: Progress) -> str:
    """Wait until `ends` for open connections to leave former listeners; return whose have not, empty if none."""
    late = list(pods)
    while late := [
        pod for pod, drains in zip(late, cluster.parallel(partial(_drains, cluster), late), strict=True) if drains
    ]:
        metadata = late[0]["metadata"]
        if time.monotonic() >= ends:
            return f"{len(late)} proxies, such as Pod {metadata['namespace']}/{metadata['name']}"
        progress(f"waiting for {len(late)} proxies to drain open connections, such as Pod {metadata['name']}")
        time.sleep(_PAUSE)
    return ""


def _drains(cluster: Cluster, pod: Object) -> bool:
    """Return whether a proxy has former listeners; false if it does not answer."""
    metadata = pod["metadata"]
    try:
        found = ask(cluster, metadata["namespace"], metadata["name"], ENVOY_PORT, "/stats?filter=_draining")
    except MeshError:
        return False
    return any(int(number) for number in re.findall(r"^listener_manager\.\S+_draining: (\d+)$", found, re.MULTILINE))


def _stale(cluster: Cluster, istiods: Sequence[Object]) -> list[str]:
    """Return the pods (namespace/name) of connected proxies that have not acknowledged what was sent."""
    reported = unacknowledged(cluster, istiods)
    # A proxy is named as in istiod: name.namespace.
    late = sorted(proxy for proxy, connections in reported.items() if min(connections, key=len, default=[]))
    return ["/".join(reversed(proxy.rsplit(".", 1))) for proxy in late]
