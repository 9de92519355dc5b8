# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate of proxies that an upgrade has moved: of the new version, connected to the new control plane, in sync."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from ...kube.errors import MeshError
from ...kube.objects.kinds import POD
from ...kube.objects.objects import Object
from ..inspection.proxy_sync import runs, unacknowledged
from ..model.labels import REVISION, labels_of
from ..model.proxies import proxy_of, proxy_version, revision_of
from .record import Plane

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.progress import Progress

_PAUSE = 1.0
_CHOSEN_IMAGE = "sidecar.istio.io/proxyImage"


def failure(cluster: Cluster, plane: Plane, namespaces: Collection[str], *, patience: float, progress: Progress) -> str:
    """Return why the proxies of a control plane in some namespaces do not pass; empty if they do.

    Waits up to `patience` seconds for proxies that have just started. A control plane that does not answer is a failure,
    because its proxies are not known then.
    """
    until = time.monotonic() + patience
    while True:
        found = _failure(cluster, plane, namespaces)
        if not found or time.monotonic() >= until:
            return found
        progress(f"waiting for the proxies of revision {plane.revision}: {found}")
        time.sleep(_PAUSE)


def _failure(cluster: Cluster, plane: Plane, namespaces: Collection[str]) -> str:
    try:
        istiods, pods = cluster.list_many([(POD, "", f"app=istiod,{REVISION}={plane.revision}"), (POD, "", "")])
        running = [one for one in istiods if runs(one)]
        if not running:
            return f"no pod of istiod with revision {plane.revision} is running"
        proxies = [one for one in pods if _is_moved(one, plane.revision, namespaces)]
        outdated = [one for one in proxies if _is_outdated(one, plane.version)]
        if outdated:
            return f"{_named(outdated)} of version {proxy_version(outdated[0])}, not {plane.version}"
        reported = unacknowledged(cluster, running)
    except MeshError as error:
        return error.message
    states = {id(one): reported.get(_id(one)) for one in proxies}
    disconnected = [one for one in proxies if states[id(one)] is None]
    if disconnected:
        return f"{_named(disconnected)} not connected to revision {plane.revision}"
    stale = [one for one in proxies if min(states[id(one)] or [[]], key=len)]
    return f"{_named(stale)} not in sync" if stale else ""


def _is_moved(pod: Object, revision: str, namespaces: Collection[str]) -> bool:
    chosen = pod["metadata"].get("namespace") in namespaces
    return chosen and runs(pod) and proxy_of(pod) is not None and revision_of(pod) == revision


def _is_outdated(pod: Object, version: str) -> bool:
    if _CHOSEN_IMAGE in (pod["metadata"].get("annotations") or {}):
        return False
    return proxy_version(pod) not in ("", version) and labels_of(pod).get("app") != "istiod"


def _id(pod: Object) -> str:
    return f"{pod['metadata']['name']}.{pod['metadata']['namespace']}"


def _named(pods: Collection[Object]) -> str:
    first = next(iter(pods))["metadata"]
    more = f" and {len(pods) - 1} others are" if len(pods) > 1 else " is"
    return f"the proxy of Pod {first['namespace']}/{first['name']}{more}"
