# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks before installing or upgrading a mesh, in addition to `istioctl experimental precheck`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...kube.errors import Refused
from ...kube.objects.kinds import DEPLOYMENT, ENDPOINT_SLICE
from ...kube.objects.objects import Kind, Object
from ...kube.plan.foreign_owners import owner_of
from ..control_plane.dead_webhooks import EFFECTS, answers, guarded_services
from ..model import labels
from ..model.ownership import PREVIOUS_OWNERS
from ..release.release import Release
from ..release.support import Finding, Support, check_kubernetes

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_WEBHOOKS = (
    Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
)


def read_messages(
    cluster: Cluster,
    release: Release,
    *,
    namespace: str = "istio-system",
    revision: str = "",
    support: Support | None = None,
    images: Iterable[str] = (),
) -> list[dict[str, str]]:
    """Check a cluster; return messages in istioctl's form ({code, level, origin, message}).

    `namespace` and `revision`: those of the control plane to install or repair. `support`: checks the release, with the
    `images` that the control plane will use.
    """
    mutating, validating, istiods = cluster.list_many(
        [(_WEBHOOKS[0], "", labels.REVISION), (_WEBHOOKS[1], "", labels.REVISION), (DEPLOYMENT, "", "app=istiod")]
    )
    configurations = [*mutating, *validating]
    services = sorted({service for one in configurations for service in guarded_services(one)})
    slices = cluster.parallel(
        lambda service: cluster.list(
            ENDPOINT_SLICE, service[0], label_selector=f"kubernetes.io/service-name={service[1]}"
        ),
        services,
    )
    alive = {service for service, found in zip(services, slices, strict=True) if any(map(answers, found))}
    return [
        *_about_version(release, cluster, support or Support()),
        *(map(_as_message, support.findings(release.version, images=images)) if support else ()),
        *about_webhooks(configurations, alive, coming=(namespace, f"istiod-{revision}" if revision else "istiod")),
        *about_owners(istiods),
    ]


def about_webhooks(
    configurations: Iterable[Object], alive: set[tuple[str, str]], coming: tuple[str, str] | None = None
) -> list[dict[str, str]]:
    """Report webhooks that fail closed, and whose Service is not one of `alive`, those with a ready endpoint.

    Those of `coming`, the Service of the control plane to install, are only a warning: the installation repairs an
    interrupted one, or an istiod that is down.
    """
    found = []
    for configuration in configurations:
        dead = [service for service in guarded_services(configuration) if service not in alive]
        if dead:
            code, effect = EFFECTS[configuration["kind"]]
            namespace, service = dead[0]
            name = configuration["metadata"]["name"]
            level, remedy = "warning", "Installing this control plane repairs it."
            if dead[0] != coming:
                level = "error"
                remedy = f"Restore that istiod, or delete {configuration['kind']} {name} if it was removed."
            found.append(
                _message(
                    code,
                    level,
                    f"{configuration['kind']} {name}",
                    f"Its Service {namespace}/{service} has no ready endpoint, so that {effect}. {remedy}",
                )
            )
    return found


def about_owners(istiods: Iterable[Object]) -> list[dict[str, str]]:
    """Report control planes that another tool manages."""
    return [
        _message(
            "foreign_owner",
            "warning",
            f"Deployment {istiod['metadata'].get('namespace', '')}/{istiod['metadata']['name']}",
            f"It is managed by {owner}, which reverts other changes. Change it there, or remove it from that tool.",
        )
        for istiod in istiods
        if (owner := owner_of(istiod)) and owner.tool not in PREVIOUS_OWNERS
    ]


def _about_version(release: Release, cluster: Cluster, support: Support) -> list[dict[str, str]]:
    try:
        warning = check_kubernetes(release.version, cluster.version(), support.data)
    except Refused as error:
        return [_message(error.code, "error", "the cluster", error.message)]
    return [_message("untested_kubernetes", "warning", "the cluster", warning)] if warning else []


def _as_message(finding: Finding) -> dict[str, str]:
    hint = " Or set security to warn." if finding["level"] == "error" else ""
    text = {"message": f"{finding['message']} {finding['fix']}{hint}"}
    known = {name: finding[name] for name in ("code", "level", "origin", "reference") if name in finding} | text
    return {**known, "origin": "the release"} if finding["code"].startswith("end_of_life") else known


def _message(code: str, level: str, origin: str, message: str) -> dict[str, str]:
    return {"code": code, "level": level, "origin": origin, "message": message}
