# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user should know of a control plane's plan, beside its changes: one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...kube.plan.plan import Plan
from . import helm

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")


def remarks(cluster: Cluster, plan: Plan, adopted: Iterable[tuple[str, str]]) -> Iterator[str]:
    """All of them; `adopted` are gateways of Helm's, as namespace and name, which the configuration has too."""
    for namespace, name in sorted(adopted):
        yield (
            f"The gateway {namespace}/{name} was installed by Helm's chart gateway and stays as it is: settings for it"
            " belong into its Helm release."
        )
    yield from _about_releases(cluster, plan)
    for change in plan.changes:
        if change.key.kind in _WORKLOADS and change.retired and _template(change.before) != _template(change.after):
            yield f"{change.key} is taken over with other pods than it has: they are restarted."
        if change.after is not None and "Fail" in _policies(change.before) - _policies(change.after):
            yield (
                f"{change.key} rejects every Istio resource, because no istiod that is ready answers it: it is set to"
                " let them pass, before anything that it would block, until one does."
            )


def _about_releases(cluster: Cluster, plan: Plan) -> Iterator[str]:
    leaving = {change.key.identity for change in plan.changes if change.action == "delete"}
    owned: dict[helm.HelmRelease, list[str]] = {}
    for identity, obj in plan.live.items():
        release = helm.release_of(obj)
        if release is not None and identity not in leaving:
            owned.setdefault(release, []).append(f"{obj['kind']} {obj['metadata']['name']}")
    for release in helm.known(cluster, sorted(owned)):
        names = owned[release]
        example = next((name for name in names if name.startswith("Deployment ")), names[0])
        yield (
            f"The Helm release {release.name} still holds {len(names)} objects of this mesh, {example} among them:"
            f" `helm uninstall {release.name}` would delete them. Have Helm forget it by `kubectl delete secret"
            f" --namespace {release.namespace} --selector owner=helm,name={release.name}`."
        )


def _template(obj: dict[str, Any] | None) -> Any:
    return ((obj or {}).get("spec") or {}).get("template")


def _policies(obj: dict[str, Any] | None) -> set[str]:
    """The failure policies of a configuration of validating webhooks; of anything else none."""
    if obj is None or obj["kind"] != "ValidatingWebhookConfiguration":
        return set()
    return {str(webhook.get("failurePolicy")) for webhook in obj.get("webhooks") or ()}
