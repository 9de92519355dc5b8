# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete pods without a controller and create them again, so that they get their sidecar."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kube.api.cluster import Access
from ...kube.errors import ApiError, Refused
from ...kube.objects.kinds import POD
from ...kube.objects.managed_fields import entries
from ...kube.objects.objects import Object, key_of
from ...kube.plan import backup
from ...kube.plan.change import Change, created
from ...kube.plan.permissions import watching
from ..model.proxies import proxy_of
from .sidecars import MANAGER, Workload

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.plan.plan import Plan


_TOKEN = "kube-api-access-"  # noqa: S105 - the name of the volume that admission adds to every pod
_LONGEST = 240
"""Characters of a pod's name that leave room for a suffix."""
_SERVERS_OWN = (
    "managedFields",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "resourceVersion",
    "selfLink",
    "uid",
)


def needed(cluster: Cluster, namespace: str) -> Iterator[Access]:
    """Return what creating pods again asks of the user in a namespace."""
    yield from (Access(verb, "", "pods", namespace) for verb in ("get", "create", "patch", "delete"))
    yield from watching(cluster, POD, namespace)


def replacements(cluster: Cluster, pods: Sequence[Workload]) -> list[Change]:
    """Plan the deletion and the creation of each pod.

    Raises Refused where the API server would not accept a pod, or the injector would give it no sidecar.
    """
    return [change for pair in cluster.parallel(lambda pod: _replacement(cluster, pod), pods) for change in pair]


def save(plan: Plan, cluster: Cluster) -> Path | None:
    """Save the manifests of the pods that a plan creates again, since a run that is killed in between must lose none.

    Returns the file; None where there are no such pods. Raises MeshError where it cannot be written.
    """
    manifests = [change.desired for change in plan.changes if change.recreated and change.desired]
    if not manifests:
        return None
    path = backup.default_path(cluster.server)
    backup.write(path, backup.text_of(manifests), otherwise="make it writable, or leave recreate_pods out")
    return path


def as_new(pod: Object) -> dict[str, Any]:
    """A pod's manifest without what servers, the scheduler and the kubelet have put into it."""
    manifest = copy.deepcopy({name: pod[name] for name in ("apiVersion", "kind", "metadata", "spec")})
    metadata, spec = manifest["metadata"], manifest["spec"]
    for name in _SERVERS_OWN:
        metadata.pop(name, None)
    for name in ("nodeName", "ephemeralContainers"):
        spec.pop(name, None)
    spec["volumes"] = _without_token(spec.get("volumes"))
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        container["volumeMounts"] = _without_token(container.get("volumeMounts"))
    return manifest


def _without_token(named: Sequence[Object] | None) -> list[Object]:
    return [one for one in named or () if not one["name"].startswith(_TOKEN)]


def _replacement(cluster: Cluster, pod: Workload) -> tuple[Change, Change]:
    live = cluster.get(POD, pod.name, pod.namespace)
    if live is None:
        raise Refused(f"Pod {pod.namespace}/{pod.name} no longer exists. Run again.", code="pod_gone")
    manifest = as_new(live)
    tried = {**manifest, "metadata": {**manifest["metadata"], "name": f"{pod.name[:_LONGEST]}-anew"}}
    try:
        expected = cluster.create(tried, manager=MANAGER, dry_run=True)
    except ApiError as error:
        raise Refused(
            f"Pod {pod.namespace}/{pod.name} was not deleted, because it could not be created again: {error.message}",
            code="pod_refused",
        ) from error
    if proxy_of(expected) is None:
        raise Refused(
            f"Pod {pod.namespace}/{pod.name} was not deleted, because it would get no sidecar when it is created again."
            " Check the injector's webhook and the log of istiod.",
            code="not_injected",
        )
    owners = [one for one in entries(live) if not one.get("subresource")]
    deletion = Change("delete", key_of(live), live, None, first=True, recreated=True, patch=True)
    return deletion, created(manifest, recreated=True, awaited=True, owners=owners)
