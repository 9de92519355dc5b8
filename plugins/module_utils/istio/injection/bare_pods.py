# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods that nothing would create again: deleted and created anew, so that they get their sidecar."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...kube.api.cluster import Access
from ...kube.errors import ApiError, MeshError, Refused
from ...kube.objects.managed_fields import entries
from ...kube.objects.objects import key_of
from ...kube.plan import backup
from ...kube.plan.permissions import refuse_denied, watching
from ...kube.wait.wait import wait_gone, wait_ready
from ..model.proxies import proxy_of
from .sidecars import MANAGER, PODS, Workload

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.progress import Progress

Object = Mapping[str, Any]


class Successor(NamedTuple):
    """The manifest to create a pod from; the uid of the pod that has to go for it, and who has set its fields."""

    uid: str
    manifest: dict[str, Any]
    owners: list[dict[str, Any]]


_TOKEN = "kube-api-access-"  # noqa: S105 - the name of the volume that admission adds to every pod
_ATTEMPTS, _OUTDATED = 10, (409, 422)
"""How often an object that changes meanwhile is tried again, and what the server says then."""
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


def refuse_forbidden(cluster: Cluster, namespaces: Iterable[str]) -> None:
    """Raise Refused where the user may not create pods anew in these namespaces."""
    checks: list[Access] = []
    for namespace in namespaces:
        checks += [Access(verb, "", "pods", namespace) for verb in ("get", "create", "patch", "delete")]
        checks += watching(cluster, PODS, namespace)
    refuse_denied(cluster, checks)


def rehearse(cluster: Cluster, pods: Sequence[Workload]) -> list[Successor]:
    """What the pods would be created from. Raises Refused where one would not be taken, or would get no sidecar."""
    return cluster.parallel(lambda pod: _rehearsed(cluster, pod), pods)


def recreate(
    cluster: Cluster, successors: Sequence[Successor], *, wait: bool, timeout: float, progress: Progress
) -> None:
    """Delete and create each pod, one after the other, within `timeout` seconds for all of them.

    Their manifests are saved first, since a run that is killed in between must lose none. Raises NotReady for a pod
    that does not end or, with `wait`, does not become ready; nothing more is deleted then.
    """
    if not successors:
        return
    kept = backup.default_path(cluster.server)
    text = backup.text_of(one.manifest for one in successors)
    backup.write(kept, text, otherwise="make it writable, or leave recreate_pods out")
    progress(f"the pods to create anew are saved in {kept}")
    deadline = time.monotonic() + timeout
    for successor in successors:
        key = key_of(successor.manifest)
        progress(f"creating {key} anew")
        cluster.delete(key.of, key.name, key.namespace, uid=successor.uid)
        wait_gone(cluster, [key], timeout=max(0.0, deadline - time.monotonic()), progress=progress)
        try:
            created = cluster.create(successor.manifest, manager=MANAGER)
        except MeshError as error:
            raise MeshError(
                f"{key} was deleted and could not be created again: {error.message} Its manifest is in {kept}.",
                code="pod_not_created",
                file=str(kept),
            ) from error
        _hand_back(cluster, created, successor.owners)
        if wait:
            wait_ready(cluster, [key], timeout=max(0.0, deadline - time.monotonic()), progress=progress)


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


def _rehearsed(cluster: Cluster, pod: Workload) -> Successor:
    live = cluster.get(PODS, pod.name, pod.namespace)
    if live is None:
        raise Refused(f"Pod {pod.namespace}/{pod.name} has gone meanwhile: run this again.", code="pod_gone")
    manifest = as_new(live)
    beside = {**manifest, "metadata": {**manifest["metadata"], "name": f"{pod.name[:_LONGEST]}-anew"}}
    try:
        foretold = cluster.create(beside, manager=MANAGER, dry_run=True)
    except ApiError as error:
        raise Refused(
            f"Pod {pod.namespace}/{pod.name} was left alone, since it could not be created anew: {error.message}",
            code="pod_refused",
        ) from error
    if proxy_of(foretold) is None:
        raise Refused(
            f"Pod {pod.namespace}/{pod.name} was left alone, since it would get no sidecar when created anew: look at"
            " the injector's webhook, and at istiod's log.",
            code="not_injected",
        )
    owners = [one for one in entries(live) if not one.get("subresource")]
    return Successor(str(live["metadata"].get("uid") or ""), manifest, owners)


def _hand_back(cluster: Cluster, created: Object, owners: Sequence[dict[str, Any]]) -> None:
    """Note who had set the fields, so that an application which the pod belongs to finds nothing changed.

    What comes in between, the scheduler and the kubelet, is read and tried again; a pod that is gone is nobody's.
    """
    key, live = key_of(created), dict(created)
    for _attempt in range(_ATTEMPTS):
        others = [one for one in entries(live) if one.get("manager") != MANAGER]
        try:
            cluster.hand_over(key, live["metadata"]["resourceVersion"], [*owners, *others], manager=MANAGER)
            return
        except ApiError as error:
            if error.status not in _OUTDATED:
                raise
        found = cluster.get(key.of, key.name, key.namespace)
        if found is None:
            return
        live = found
