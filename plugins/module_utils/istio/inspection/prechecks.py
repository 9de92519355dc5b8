# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against installing or upgrading a mesh, beyond what the release's own `precheck` looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.errors import Refused
from ...kube.objects.objects import Kind
from ...kube.plan.foreign_owners import owner_of
from ..control_plane.dead_webhooks import EFFECTS, answers, guarded_services
from ..model import labels
from ..model.ownership import PREVIOUS_OWNERS
from ..release import versions
from ..release.release import Release

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = Mapping[str, Any]

_WEBHOOKS = (
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
)
_DEPLOYMENTS = Kind("apps/v1", "Deployment")
_SLICES = Kind("discovery.k8s.io/v1", "EndpointSlice")


def read_messages(
    cluster: Cluster, release: Release, *, namespace: str = "istio-system", revision: str = ""
) -> list[dict[str, str]]:
    """Messages of the form of istioctl's ({code, level, origin, message}) about a cluster.

    `namespace` and `revision` name the control plane that is to be installed or repaired.
    """
    mutating, validating, istiods = cluster.list_many(
        [(_WEBHOOKS[0], "", labels.REVISION), (_WEBHOOKS[1], "", labels.REVISION), (_DEPLOYMENTS, "", "app=istiod")]
    )
    configurations = [*mutating, *validating]
    services = sorted({service for one in configurations for service in guarded_services(one)})
    slices = cluster.parallel(
        lambda service: cluster.list(_SLICES, service[0], label_selector=f"kubernetes.io/service-name={service[1]}"),
        services,
    )
    alive = {service for service, found in zip(services, slices, strict=True) if any(map(answers, found))}
    return [
        *_about_version(release, cluster),
        *about_webhooks(configurations, alive, coming=(namespace, f"istiod-{revision}" if revision else "istiod")),
        *about_owners(istiods),
    ]


def about_webhooks(
    configurations: Iterable[Object], alive: set[tuple[str, str]], coming: tuple[str, str] | None = None
) -> list[dict[str, str]]:
    """Webhooks that fail closed, with nobody behind them; `alive` are services with a ready endpoint.

    Those of `coming`, the service of the control plane that is to be installed, are only worth a warning: an install
    that was broken off, or an istiod that is down, is repaired by installing.
    """
    found = []
    for configuration in configurations:
        dead = [service for service in guarded_services(configuration) if service not in alive]
        if dead:
            code, effect = EFFECTS[configuration["kind"]]
            namespace, service = dead[0]
            name = configuration["metadata"]["name"]
            level, remedy = "warning", " until this control plane is installed."
            if dead[0] != coming:
                level = "error"
                remedy = f": bring istiod back, or delete {configuration['kind']} {name} if that control plane is gone."
            found.append(
                _message(
                    code,
                    level,
                    f"{configuration['kind']} {name}",
                    f"It calls {namespace}/{service}, which has no ready pod, and fails closed, so that {effect}{remedy}",
                )
            )
    return found


def about_owners(istiods: Iterable[Object]) -> list[dict[str, str]]:
    """Control planes that another tool keeps in place."""
    return [
        _message(
            "foreign_owner",
            "warning",
            f"Deployment {istiod['metadata'].get('namespace', '')}/{istiod['metadata']['name']}",
            f"It belongs to {owner}, which would undo every change made here.",
        )
        for istiod in istiods
        if (owner := owner_of(istiod)) and owner.tool not in PREVIOUS_OWNERS
    ]


def _about_version(release: Release, cluster: Cluster) -> list[dict[str, str]]:
    try:
        warning = versions.check(release.version, cluster.version())
    except Refused as error:
        return [_message("unsupported_kubernetes", "error", "the cluster", error.message)]
    return [_message("untested_kubernetes", "warning", "the cluster", warning)] if warning else []


def _message(code: str, level: str, origin: str, message: str) -> dict[str, str]:
    return {"code": code, "level": level, "origin": origin, "message": message}
