# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install or update a revision of the control plane."""

from __future__ import annotations

from ..arguments import MIRROR, PLAN, RELEASE, SUPPORT, WAIT, ArgumentSpec
from ..istio.control_plane import unknown_fields
from ..istio.control_plane.configuration import Options
from ..istio.control_plane.revision import ControlPlane
from ..istio.control_plane.version_change import refuse_unsupported
from ..istio.model.ownership import LOCK
from ..istio.platforms.openshift import with_platform
from ..istio.release import support
from ..kube.errors import Refused
from ..kube.objects.images import images_of
from ..kube.plan.plan import Plan
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task

AZURE = {
    "internal": {"type": "bool"},
    "subnet": {"type": "str"},
    "public_address": {"type": "str"},
    "resource_group": {"type": "str"},
    "dns_label": {"type": "str"},
    "service_tags": {"type": "list", "elements": "str"},
    "idle_timeout": {"type": "int"},
    "health_probe": {"type": "str", "choices": ["ready", "tcp", "default"], "default": "ready"},
    "excluded_ports": {"type": "list", "elements": "str"},
}
INGRESS = {
    "name": {"type": "str", "default": "istio-ingressgateway"},
    "namespace": {"type": "str"},
    "labels": {"type": "dict"},
    "type": {"type": "str", "choices": ["NodePort", "LoadBalancer", "ClusterIP"]},
    "node_ports": {"type": "dict"},
    "annotations": {"type": "dict"},
    "source_ranges": {"type": "list", "elements": "str"},
    "address": {"type": "str"},
    "external_traffic_policy": {"type": "str", "choices": ["Cluster", "Local"]},
    "azure": {"type": "dict", "options": AZURE},
}


def present(task: Task, *, gateways: bool = True, moves_from: str = "") -> Reconciliation:
    """Install or update the revision.

    An upgrade installs it without `gateways` at first, and then moves those of the revision `moves_from` to it.
    """
    parameters = task.params
    release, _fetched = task.release()
    options = with_platform(Options.of(parameters), task.cluster)
    wanted = ControlPlane(release, options, task.cluster, cache_dir=parameters["cache_dir"])
    checks = task.support()
    check_versions(task, release.version, checks)
    unknown = wanted.unknown_fields
    if parameters["strict"]:
        unknown_fields.refuse_unknown(unknown, release.version)
    unit = wanted.unit(remove_dead_webhooks=parameters["remove_dead_webhooks"], gateways=gateways)
    findings = checks.findings(release.version, images=images_of(unit.objects))
    support.refuse(findings)
    sentences = [*support.sentences(findings), *unknown_fields.warnings(unknown, release.version)]
    warnings: dict[str, None] = dict.fromkeys(sentences)

    def check(plan: Plan) -> None:
        if not parameters["ignore_version_check"]:
            refuse_unsupported(plan, wanted.revision, release.version)
        wanted.check(plan, force=parameters["force"], moves_from=moves_from)
        warnings.update(dict.fromkeys(wanted.warnings(plan, gateways=gateways)))

    def finish(_plan: Plan) -> Result:
        for warning in warnings:
            task.warn(warning)
        return {
            "version": release.version,
            "revision": wanted.revision,
            "gateways": wanted.gateways,
            "findings": findings,
            "extension_providers": wanted.extension_providers,
        }

    return Reconciliation(unit, LOCK, checks=check, finish=finish)


def check_versions(task: Task, istio: str, checks: support.Support) -> None:
    """Refuse a Kubernetes version that is too old for the release, or return a warning with ignore_version_check."""
    try:
        warning = support.check_kubernetes(istio, task.cluster.version(), checks.data)
    except Refused as refused:
        if not task.params["ignore_version_check"]:
            raise
        warning = refused.message
    if warning:
        task.warn(warning)


SPEC: ArgumentSpec = {
    "version": {"type": "str"},
    "profile": {"type": "str", "default": "default"},
    "revision": {"type": "str"},
    "overlays": {"type": "list", "elements": "raw", "default": []},
    "values": {"type": "dict", "default": {}},
    "set": {"type": "raw"},
    "hub": {"type": "str"},
    "tag": {"type": "str"},
    "platform": {"type": "str"},
    "namespace": {"type": "str", "default": "istio-system"},
    "ingress": {"type": "list", "elements": "dict", "default": [], "options": INGRESS},
    "extension_providers": {"type": "list", "elements": "dict", "default": []},
    "ignore_version_check": {"type": "bool", "default": False},
    "strict": {"type": "bool", "default": False},
    "remove_dead_webhooks": {"type": "bool", "default": False},
    **RELEASE,
    **MIRROR,
    **SUPPORT,
    **PLAN,
    **WAIT,
}

DEFINITION = Definition({**SPEC, "version": {"type": "str", "required": True}}, present)
"""The part of mesh, which removes nothing; control_plane_removal has that of the module."""
