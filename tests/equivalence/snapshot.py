# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All objects of a cluster, and a cluster brought back to what it held."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError, MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import DISCOVERY
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, key_of

Object = dict[str, Any]
Snapshot = dict[Key, Object]

# What the control plane notes while it works.
_NOTES = {"ComponentStatus", "Event", "IPAddress", "Lease", "Node"}
# What its controllers make without saying so by an owner.
_MADE = {"Endpoints"}
# What it gives each namespace.
_GIVEN = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_FOR_CRDS = "kube-aggregator.kubernetes.io/automanaged"
_LIMIT = 600.0  # seconds for a cluster to let go of everything: three on an idle machine


class Listing(NamedTuple):
    """Where objects of one kind are listed."""

    api_version: str
    kind: str
    path: str


def read(cluster: Cluster) -> Snapshot:
    """Every object of every kind, in the version that the server prefers, but for what controllers make."""
    return {key: obj for key, obj in _everything(cluster).items() if not _by_controllers(obj)}


def listings(discovered: Iterable[Mapping[str, Any]]) -> Iterator[Listing]:
    """The kinds that can be listed, by the server's answers to /api and /apis, each in its first version."""
    for document in discovered:
        for group in document["items"]:
            name = (group.get("metadata") or {}).get("name", "")
            seen: set[str] = set()
            for version in group["versions"]:
                api_version = f"{name}/{version['version']}" if name else version["version"]
                root = "/apis" if name else "/api"
                for resource in version.get("resources") or ():
                    if resource["resource"] not in seen and "list" in resource["verbs"]:
                        seen.add(resource["resource"])
                        yield Listing(
                            api_version,
                            resource["responseKind"]["kind"],
                            f"{root}/{api_version}/{resource['resource']}",
                        )


def clear(cluster: Cluster, kept: Mapping[Key, Any]) -> None:
    """Delete all that is not `kept`, and wait until it is gone."""
    deadline = time.monotonic() + _LIMIT
    while left := _left(_everything(cluster), kept):
        while left:
            if time.monotonic() > deadline:
                raise MeshError(f"{len(left)} objects do not go, {next(iter(left))} among them.")
            _delete_all(cluster, left)
            time.sleep(0.1)
            left = _left(_everything(cluster, {(key.api_version, key.kind) for key in left}), kept)


def _left(found: Snapshot, kept: Mapping[Key, Any]) -> Snapshot:
    """What is to go: of the notes, those in namespaces that go too."""
    namespaces = {key.name for key in kept if key.kind == "Namespace"}
    return {
        key: obj
        for key, obj in found.items()
        if key not in kept and (not _is_note(obj) or (key.namespace and key.namespace not in namespaces))
    }


def _delete_all(cluster: Cluster, left: Snapshot) -> None:
    occupied = {key.namespace for key in left}

    def delete(item: tuple[Key, Object]) -> None:
        key, obj = item
        # Objects go with their owner meanwhile, and a CRD's with the CRD.
        with contextlib.suppress(ApiError):
            if not obj["metadata"].get("deletionTimestamp"):
                cluster.delete(key.of, key.name, key.namespace)
            elif key.kind == "Namespace" and key.name not in occupied:
                # Its controller would look at it only after five seconds, even if it is empty.
                cluster.raw("PUT", f"/api/v1/namespaces/{key.name}/finalize", {**obj, "spec": {"finalizers": []}})

    cluster.parallel(delete, list(left.items()))


def _everything(cluster: Cluster, kinds: Collection[tuple[str, str]] | None = None) -> Snapshot:
    """All objects, or those of some kinds (by API version and name)."""
    found = list(listings(cluster.raw("GET", path, accept=DISCOVERY) for path in ("/api", "/apis")))
    wanted = [one for one in found if kinds is None or (one.api_version, one.kind) in kinds]
    lists = cluster.parallel(lambda listing: _objects(cluster, listing), wanted)
    return {key_of(obj): obj for objects in lists for obj in objects}


def _objects(cluster: Cluster, listing: Listing) -> list[Object]:
    if listing.kind in _NOTES:
        return []
    try:
        items = cluster.raw("GET", listing.path)["items"] or ()
    except ApiError as error:
        if error.status == 404:  # its CRD has just gone
            return []
        raise
    return [{**item, "apiVersion": listing.api_version, "kind": listing.kind} for item in items]


def _by_controllers(obj: Object) -> bool:
    owners = obj["metadata"].get("ownerReferences") or ()
    return _is_note(obj) or any(owner.get("controller") for owner in owners)


def _is_note(obj: Object) -> bool:
    metadata = obj["metadata"]
    return (
        obj["kind"] in _MADE or (obj["kind"], metadata["name"]) in _GIVEN or _FOR_CRDS in (metadata.get("labels") or {})
    )
