# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners of a control plane's objects: field managers, and refusals to change what belongs to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...kube.apply.lock import Lock
from ...kube.errors import Refused
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.objects import key_of
from ...kube.plan.foreign_owners import HELM
from ...kube.plan.plan import Plan
from . import labels
from .gateway_workloads import is_gateway, name_of
from .labels import component_of, labels_of
from .namespaces import unusable

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/control_plane"
TAG_MANAGER = "meshops.istio/revision_tag"
PREVIOUS_MANAGERS = PREVIOUS | {TAG_MANAGER}
"""Field managers of tools that may have installed the mesh, or deactivated its injector, before."""

PREVIOUS_OWNERS = frozenset({HELM})
"""Tools whose installation is taken over without force."""

INSTALLERS = frozenset({"istio-operator", "istioctl", "istio-ci", "helm", MANAGER, TAG_MANAGER})
"""Field managers of tools that prune what they have installed: istioctl, its tag commands, Helm, and this collection."""

UPGRADE_RECORD = "meshops-istio-upgrade"
"""The ConfigMap with the record of an upgrade, in the namespace of the control planes."""

LOCK = Lock("meshops-istio-control-plane")
"""One lock for all revisions and tags, because they share objects."""


def refuse_claimed_gateways(plan: Plan, revision: str, moves_from: str = "") -> None:
    """Raise Refused for a plan that would take a gateway away from another revision, except from `moves_from`."""
    for obj in plan.objects:
        live = plan.live.get(key_of(obj).identity)
        # A Deployment and a DaemonSet of the same gateway have the Service in common.
        claims = is_gateway(obj) or (obj["kind"] == "Service" and component_of(obj) in labels.GATEWAYS)
        if not claims or live is None:
            continue
        owner = labels_of(live).get(labels.REVISION)
        if owner and owner not in (revision, moves_from):
            namespace, name = name_of(obj)
            raise Refused(
                f"Cannot apply {key_of(obj)}: the gateway {namespace}/{name} already belongs to revision {owner}. Install"
                f" revision {revision} without it (profile minimal, or disable {name} under spec.components), or set"
                " force to true to move it.",
                code="gateway_claimed",
                gateway=name,
                revision=owner,
            )


def refuse_missing_namespaces(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused for objects in namespaces that do not exist, and are neither created nor assumed."""
    made = {obj["metadata"]["name"] for obj in plan.objects if obj["kind"] == "Namespace"}
    there = {namespace for _group, _kind, namespace, _name in plan.live}
    needed = {key_of(obj).namespace for obj in plan.objects} - made - there
    # Who may not look at one is told so where it is only assumed, too: once it is there, it is looked at.
    found = unusable(cluster, needed)
    missing = {name: fault for name, fault in found.items() if name not in plan.unit.assumed}
    for name, fault in missing.items():
        first = next(key_of(obj) for obj in plan.objects if obj["metadata"].get("namespace") == name)
        after = "after it is deleted" if fault == "is being deleted" else "first"
        raise Refused(
            f"Cannot apply {first}: Namespace {name} {fault}. Create it {after}.",
            code="namespace_missing",
            namespaces=list(missing),
        )
