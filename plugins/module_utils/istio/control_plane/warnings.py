# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings about a control plane's plan: Helm's ownership, restarts and failure policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...kube.plan.plan import Plan
from . import helm

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")


def warnings(cluster: Cluster, plan: Plan, helm_gateways: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield all warnings; `helm_gateways`: gateways of the configuration that Helm manages, as namespace and name."""
    for namespace, name in sorted(helm_gateways):
        yield (
            f"The gateway {namespace}/{name} is not changed: Helm's chart gateway manages it. Change its settings in its"
            " Helm release."
        )
    yield from _about_releases(cluster, plan)
    for change in plan.changes:
        if (
            change.key.kind in _WORKLOADS
            and change.previous_managers
            and _template(change.before) != _template(change.after)
        ):
            yield f"The pods of {change.key} are restarted: the takeover changes its pod template."
        if change.after is not None and "Fail" in _policies(change.before) - _policies(change.after):
            yield (
                f"{change.key} rejects every Istio resource: no istiod is ready to answer it. Its failurePolicy is set to"
                " Ignore first, and istiod sets it to Fail once it is ready."
            )


def _about_releases(cluster: Cluster, plan: Plan) -> Iterator[str]:
    deleted = {change.key.identity for change in plan.changes if change.action == "delete"}
    owned: dict[helm.HelmRelease, list[str]] = {}
    for identity, obj in plan.live.items():
        release = helm.release_of(obj)
        if release is not None and identity not in deleted:
            owned.setdefault(release, []).append(f"{obj['kind']} {obj['metadata']['name']}")
    for release in helm.known(cluster, sorted(owned)):
        names = owned[release]
        example = next((name for name in names if name.startswith("Deployment ")), names[0])
        yield (
            f"The Helm release {release.name} still has {len(names)} objects of this mesh, such as {example}:"
            f" `helm uninstall {release.name}` would delete them. Delete Helm's record of the release by `kubectl delete"
            f" secret --namespace {release.namespace} --selector owner=helm,name={release.name}`."
        )


def _template(obj: dict[str, Any] | None) -> Any:
    return ((obj or {}).get("spec") or {}).get("template")


def _policies(obj: dict[str, Any] | None) -> set[str]:
    """Return the failure policies of a ValidatingWebhookConfiguration; empty for other kinds."""
    if obj is None or obj["kind"] != "ValidatingWebhookConfiguration":
        return set()
    return {str(webhook.get("failurePolicy")) for webhook in obj.get("webhooks") or ()}
