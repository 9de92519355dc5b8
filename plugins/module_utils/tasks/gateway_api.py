# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the CRDs of the Gateway API."""

from __future__ import annotations

from collections.abc import Container

from ..arguments import DOWNLOAD, PLAN, WAIT
from ..istio.gateways import gateway_api_crds
from ..istio.release.releases import ReleaseData, read_release_data
from ..kube.errors import InvalidInput
from ..kube.objects.kinds import CUSTOM_RESOURCE_DEFINITION
from ..kube.plan.plan import Plan
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task


def present(task: Task) -> Reconciliation:
    """Install the CRDs, or upgrade those that this task installed."""
    parameters = task.params
    data = read_release_data(parameters["release_data"])
    istio = parameters["istio_version"] or ""
    there = gateway_api_crds.installed(task.cluster)
    if there is not None and not there.ours:
        return left(task, there, istio, data)
    version = parameters["version"] if parameters["src"] else exact_version(parameters["version"], istio, data)
    sources = parameters["src"] or [gateway_api_crds.release_url(version, parameters["channel"])]
    objects = task.read_sources(sources)
    wanted = gateway_api_crds.contained(objects)
    if there is not None and gateway_api_crds.is_older(wanted, there):
        return left(task, there, istio, data)

    def finish(_plan: Plan) -> Result:
        warn_of_ignored(task, istio, wanted.version, data, {obj["metadata"]["name"] for obj in objects})
        return {"version": wanted.version, "channel": wanted.channel, "managed": True}

    return Reconciliation(gateway_api_crds.unit(objects), gateway_api_crds.LOCK, finish=finish)


def left(task: Task, there: gateway_api_crds.Installed, istio: str, data: ReleaseData) -> Reconciliation:
    """Return what changes nothing."""
    warn_of_ignored(task, istio, there.version, data)
    result: Result = {"version": there.version, "channel": there.channel, "managed": there.ours}
    return Reconciliation(gateway_api_crds.unit([]), gateway_api_crds.LOCK, finish=lambda _plan: result)


def exact_version(version: str, istio: str, data: ReleaseData) -> str:
    """Return the version for `auto`. Raises InvalidInput if it is not known."""
    if version != "auto":
        return version
    known = data.gateway_api(istio or data.newest_minor)
    if known is None:
        raise InvalidInput(
            f"The version of the Gateway API for Istio {istio} is not known. Set version to an exact version.",
            istio_version=istio,
        )
    return known


def warn_of_ignored(
    task: Task, istio: str, version: str, data: ReleaseData, installed: Container[str] | None = None
) -> None:
    """Warn of kinds that istiod ignores at a version; `installed`: the names of CRDs, by default those in the cluster."""
    for kind, read in (data.ignored_kinds(istio, version) if istio else {}).items():
        name = gateway_api_crds.definition_of(kind)
        if (name in installed) if installed is not None else task.cluster.get(CUSTOM_RESOURCE_DEFINITION, name):
            task.warn(
                f"istiod of Istio {istio} ignores {kind} of the Gateway API {version}: it reads {read}. Upgrade the Gateway"
                f" API CRDs to {data.gateway_api(istio)}, or choose another Istio."
            )


DEFINITION = Definition(
    {
        "version": {"type": "str", "default": "auto"},
        "istio_version": {"type": "str"},
        "release_data": {"type": "list", "elements": "raw", "default": []},
        "channel": {"type": "str", "choices": ["standard", "experimental"], "default": "standard"},
        "src": {"type": "list", "elements": "raw", "default": []},
        **DOWNLOAD,
        **PLAN,
        **WAIT,
    },
    present,
)
