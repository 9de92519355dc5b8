# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks before an upgrade: versions, what does not move, what a restart interrupts, and what the releases change."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.errors import Refused
from ...kube.objects.objects import Key
from ..injection.sidecars import not_restartable
from ..model import labels
from ..model.labels import labels_of
from ..model.proxies import proxy_version
from ..release.support import Support, check_kubernetes
from ..release.versions import minor_of, version_key
from . import notes
from .facts import ERROR, INFO, WARNING, Facts, finding, named

if TYPE_CHECKING:
    from ...kube.api.version import Version

Finding = dict[str, str]

_CANARY, _IN_PLACE = 2, 1
"""How many minor versions an upgrade may go on at once, by Istio's documentation: with a second control plane, in place."""


def findings(
    facts: Facts, support: Support, kubernetes: Version, *, in_place: bool = False, interrupt: bool = False
) -> list[Finding]:
    """Return what is to be known before an upgrade; its errors refuse it.

    interrupt: workloads whose restart interrupts them are warnings.
    """
    return [
        *_kubernetes(facts, support, kubernetes),
        *support.findings(facts.old.version),
        *support.findings(facts.new.version),
        *of_mesh(facts, support, in_place=in_place, interrupt=interrupt),
    ]


def of_mesh(facts: Facts, support: Support, *, in_place: bool = False, interrupt: bool = False) -> list[Finding]:
    """Return the findings without those about each release alone, which an installation has too."""
    return [
        *_minors(facts, _IN_PLACE if in_place else _CANARY),
        *_gateway_api(facts, support),
        *_hub(facts, support),
        *_shared(facts),
        *_skewed(facts),
        *_envoy_filters(facts),
        *([] if in_place else [*_node_agents(facts), *_pinned(facts)]),
        *_left_behind(facts),
        *_interrupted(facts, ERROR if not interrupt else WARNING),
        *_budgets(facts),
        *notes.changes(facts),
    ]


def refuse(found: list[Finding]) -> None:
    """Raise Refused if there are errors among the findings."""
    errors = [one for one in found if one["level"] == ERROR]
    if errors:
        first = errors[0]
        more = (
            f" There are {len(errors) - 1} more errors; meshops.istio.upgrade_check lists them."
            if len(errors) > 1
            else ""
        )
        raise Refused(f"Cannot upgrade: {first['message']} {first['fix']}{more}", code=first["code"], findings=errors)


def _minors(facts: Facts, most: int) -> Iterator[Finding]:
    old, new = minor_of(facts.old.version), minor_of(facts.new.version)
    if len(old) < 2 or len(new) < 2:
        return
    apart = new[1] - old[1]
    if old[0] != new[0] or apart > most:
        text = f"From Istio {facts.old.version} to {facts.new.version} are {apart} minor versions, and {most} at once are supported."
        yield finding(
            "skipped_minors", ERROR, f"Istio {facts.new.version}", text, f"Upgrade to 1.{old[1] + most} first."
        )
    elif apart > 1:
        text = f"The upgrade skips Istio 1.{old[1] + 1}, which Istio supports with a second control plane only."
        yield finding("skipped_minors", WARNING, f"Istio {facts.new.version}", text, "Read the notes of both versions.")
    elif apart < 0:
        text = f"Istio {facts.new.version} is older than {facts.old.version}."
        yield finding(
            "downgrade", WARNING, f"Istio {facts.new.version}", text, "Check that no resource uses newer fields."
        )


def _kubernetes(facts: Facts, support: Support, kubernetes: Version) -> Iterator[Finding]:
    try:
        text, level = check_kubernetes(facts.new.version, kubernetes, support.data), WARNING
    except Refused as refused:
        text, level = refused.message, ERROR
    if text:
        yield finding("kubernetes", level, f"Kubernetes {kubernetes}", text, "")


def _gateway_api(facts: Facts, support: Support) -> Iterator[Finding]:
    before = support.data.ignored_kinds(facts.old.version, facts.gateway_api)
    for kind, read in support.data.ignored_kinds(facts.new.version, facts.gateway_api).items():
        if kind not in before:
            text = f"istiod {facts.new.version} ignores {kind}: it reads the CRD of {read}, and the cluster has {facts.gateway_api}."
            fix = f"Install Gateway API {support.data.gateway_api(facts.new.version)} first, by meshops.istio.gateway_api."
            yield finding("gateway_api_ignored", WARNING, f"CustomResourceDefinition {kind}", text, fix)


def _hub(facts: Facts, support: Support) -> Iterator[Finding]:
    old, new = ((support.data.row(one.version) or {}).get("hub") for one in (facts.old, facts.new))
    if old and new and old != new:
        text = f"The images of Istio {facts.new.version} are in {new}, those of {facts.old.version} in {old}."
        fix = "Check that the nodes may pull from it, and that mirrors have the new images."
        yield finding("hub_moves", WARNING, new, text, fix)


def _shared(facts: Facts) -> Iterator[Finding]:
    if version_key(facts.new.version) < version_key(facts.old.version):
        text = f"CRDs and other objects that all revisions share stay those of {facts.old.version}."
        yield finding("shared_objects_stay", INFO, f"Istio {facts.old.version}", text, "")


def _skewed(facts: Facts) -> Iterator[Finding]:
    newest = minor_of(facts.old.version)
    for pod in facts.pods():
        found = minor_of(proxy_version(pod))
        if len(found) == 2 and newest[1:] > found[1:]:
            text = f"{named(pod)} still has the proxy of {proxy_version(pod)}, older than its control plane {facts.old.version}."
            yield finding(
                "outdated_proxy", WARNING, named(pod), text, "Restart its workload before or with the upgrade."
            )


def _envoy_filters(facts: Facts) -> Iterator[Finding]:
    for one in facts.of("EnvoyFilter"):
        if labels.COMPONENT in labels_of(one):
            continue
        patches = (one.get("spec") or {}).get("configPatches") or ()
        kinds = sorted({str(patch.get("applyTo", "")) for patch in patches})
        limits = {str(((patch.get("match") or {}).get("proxy") or {}).get("proxyVersion") or "") for patch in patches}
        excluded = sorted(limit for limit in limits if limit and not _selects(limit, facts.new.version))
        if excluded:
            text = f"{named(one)} has patches for proxies of version {excluded[0]}, which do not apply to {facts.new.version}."
            yield finding("envoy_filter_excluded", WARNING, named(one), text, "Adapt it to the new version.")
        else:
            text = (
                f"{named(one)} patches {', '.join(kinds)} of Envoy, whose configuration depends on the proxy's version."
            )
            yield finding("envoy_filter", WARNING, named(one), text, "Test it with the new version.")


def _selects(pattern: str, version: str) -> bool:
    try:
        return re.match(pattern, version) is not None
    except re.error:
        return True


def _node_agents(facts: Facts) -> Iterator[Finding]:
    for one in facts.of("DaemonSet"):
        if labels_of(one).get(labels.COMPONENT) == labels.ZTUNNEL:
            text = f"{named(one)} serves all revisions, so that a second control plane would upgrade it for all pods at once."
            yield finding("node_agents", ERROR, named(one), text, "Upgrade in place by meshops.istio.site.")


def _pinned(facts: Facts) -> Iterator[Finding]:
    for key, owner in facts.owners().items():
        template = (((owner or {}).get("spec") or {}).get("template") or {}).get("metadata") or {}
        if (template.get("labels") or {}).get(labels.REVISION) == facts.old.revision:
            what = _named(key)
            if facts.old.revision not in facts.mesh.tags:
                text = f"{what} has the label {labels.REVISION}={facts.old.revision} in its pod template, which no tag moves."
                yield finding("pinned", WARNING, what, text, "Remove the label, or set it to a revision tag.")


def _left_behind(facts: Facts) -> Iterator[Finding]:
    for key, owner in facts.owners().items():
        reason = not_restartable(key, owner)
        if reason:
            text = f"{_named(key)} keeps its proxy of {facts.old.version}: {reason}."
            fix = "Until then the old control plane is not removed."
            yield finding("not_restarted", WARNING, _named(key), text, fix)


def _interrupted(facts: Facts, level: str) -> Iterator[Finding]:
    for key, owner in facts.owners().items():
        if owner is None or not_restartable(key, owner):
            continue
        reason = interruption(owner)
        if reason:
            fix = "Change it, or set interrupt to true (upgrade_interrupt of the role)."
            yield finding(
                "interrupted", level, named(owner), f"A restart of {named(owner)} interrupts it: {reason}.", fix
            )
        elif _unprobed(owner):
            text = f"{named(owner)} has no readiness probe, so that new pods may get requests before they can answer."
            yield finding("no_readiness_probe", WARNING, named(owner), text, "Add one.")


def interruption(owner: Mapping[str, Any]) -> str:
    """Return why a restart leaves a workload without a ready pod; empty if it does not."""
    spec = owner.get("spec") or {}
    replicas = spec.get("replicas", 1)
    if owner["kind"] == "StatefulSet":
        return "it is a StatefulSet with one replica" if replicas == 1 else ""
    if owner["kind"] != "Deployment" or not replicas:
        return ""
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return "its strategy is Recreate, which ends all pods first"
    most = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", "25%")
    number = math.floor(replicas * int(most.rstrip("%")) / 100) if isinstance(most, str) else most
    return f"its maxUnavailable of {most} includes all {replicas} replicas" if number >= replicas else ""


def _unprobed(owner: Mapping[str, Any]) -> bool:
    pod = ((owner.get("spec") or {}).get("template") or {}).get("spec") or {}
    return not any("readinessProbe" in one for one in pod.get("containers") or ())


def _budgets(facts: Facts) -> Iterator[Finding]:
    places = {pod["metadata"].get("namespace") for pod in facts.pods()}
    for one in facts.of("PodDisruptionBudget"):
        allowed = (one.get("status") or {}).get("disruptionsAllowed")
        if (
            one["metadata"].get("namespace") in places
            and allowed == 0
            and (one.get("status") or {}).get("expectedPods")
        ):
            text = f"{named(one)} allows no disruption now. It does not hold up restarts, but drains of nodes."
            yield finding("no_disruption_allowed", INFO, named(one), text, "Do not drain nodes during the upgrade.")


def _named(key: tuple[str, str, str]) -> str:
    return str(Key("", *key))
