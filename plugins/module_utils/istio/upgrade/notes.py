# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What releases change for a mesh that is upgraded to them, each with a detector that says where a mesh uses it.

In our words, from the upgrade notes of the releases' own source: 1.29.1, 1.30.4 and 1.31.0. Those of 1.28 and older, and of
1.32, are not in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..model import labels
from ..model.labels import labels_of
from ..release.versions import minor_of
from .facts import WARNING, Facts, finding, named


class Note(NamedTuple):
    """A change that a minor version brings; `uses` returns what of the mesh it concerns."""

    minor: str
    code: str
    change: str
    fix: str
    uses: Callable[[Facts], Iterable[str]]


def _flag(name: str) -> Callable[[Facts], Iterable[str]]:
    return lambda facts: [f"{name} of istiod"] if name in facts.environment() else []


def _annotated(name: str) -> Callable[[Facts], Iterable[str]]:
    def uses(facts: Facts) -> Iterator[str]:
        for pod in facts.pods():
            if name in (pod["metadata"].get("annotations") or {}):
                yield named(pod)

    return uses


def _ambient(facts: Facts) -> Iterator[str]:
    found = (one for one in facts.of("DaemonSet") if labels_of(one).get(labels.COMPONENT) == labels.ZTUNNEL)
    return (named(one) for one in found)


def _cni(facts: Facts) -> Iterator[str]:
    return (named(one) for one in facts.of("DaemonSet") if one["metadata"]["name"] == "istio-cni-node")


def _dry_run_policies(facts: Facts) -> Iterator[str]:
    if any(_ambient(facts)):
        for one in facts.of("AuthorizationPolicy"):
            if (one["metadata"].get("annotations") or {}).get("istio.io/dry-run") == "true":
                yield named(one)


def _kiali_elsewhere(facts: Facts) -> Iterator[str]:
    for one in facts.of("Deployment"):
        if labels_of(one).get("app") == "kiali" and one["metadata"].get("namespace") != facts.namespace:
            yield named(one)


def _policies(facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the traffic policies of DestinationRules, those of subsets and ports as well."""
    for one in facts.of("DestinationRule"):
        spec = one.get("spec") or {}
        policies = [spec.get("trafficPolicy"), *(subset.get("trafficPolicy") for subset in spec.get("subsets") or ())]
        for policy in filter(None, policies):
            yield named(one), policy
            yield from ((named(one), port) for port in policy.get("portLevelSettings") or ())


def _with(setting: str) -> Callable[[Facts], Iterable[str]]:
    return lambda facts: dict.fromkeys(name for name, policy in _policies(facts) if setting in policy)


def _registered(facts: Facts) -> Iterator[str]:
    for one in facts.of("WorkloadEntry"):
        if "istio.io/autoRegistrationGroup" in (one["metadata"].get("annotations") or {}):
            yield named(one)


def _repeated_hosts(facts: Facts) -> Iterator[str]:
    places: dict[str, set[str]] = defaultdict(set)
    for one in facts.of("ServiceEntry"):
        for host in (one.get("spec") or {}).get("hosts") or ():
            places[str(host)].add(one["metadata"].get("namespace", ""))
    for host, found in sorted(places.items()):
        if len(found) > 1:
            yield f"host {host} of ServiceEntries in {', '.join(sorted(found))}"


NOTES = (
    Note(
        "1.29",
        "debug_endpoints",
        "istiod answers its debug endpoints to other namespaces only for their own proxies, and asks for authentication.",
        "Move the tool to the namespace of istiod, or set ENABLE_DEBUG_ENDPOINT_AUTH=false in istiod.",
        _kiali_elsewhere,
    ),
    Note(
        "1.29",
        "circuit_breaker_metrics",
        "Envoy no longer counts what remains of the limits of a connection pool.",
        "Set DISABLE_TRACK_REMAINING_CB_METRICS=false in istiod where dashboards or alerts use these metrics.",
        _with("connectionPool"),
    ),
    Note(
        "1.29",
        "stats_compression",
        "The annotation sidecar.istio.io/statsCompression has no effect, and metrics are compressed.",
        "Set statsCompression in the annotation proxy.istio.io/config.",
        _annotated("sidecar.istio.io/statsCompression"),
    ),
    Note(
        "1.29",
        "dry_run_policies",
        "ztunnel can evaluate policies in dry-run mode; one that is older than 1.29 would enforce them.",
        "Upgrade ztunnel before AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY is set in istiod.",
        _dry_run_policies,
    ),
    Note(
        "1.29",
        "iptables_reconciled",
        "The CNI node agent changes the traffic rules of pods that are in the ambient mesh already when it starts.",
        "Set values.cni.ambient.reconcileIptablesOnStartup=false to keep them.",
        _ambient,
    ),
    Note(
        "1.30",
        "cni_file_mode",
        "The CNI configuration file has the mode 0600.",
        "Set CNI_CONF_GROUP_READ=true in values.cni.env where another tool reads it.",
        _cni,
    ),
    Note(
        "1.30",
        "cni_excluded_namespaces",
        "The CNI node agent takes pods in its excludeNamespaces out of the ambient mesh.",
        "Remove from values.cni.excludeNamespaces the namespaces that shall stay in it.",
        _ambient,
    ),
    Note(
        "1.30",
        "workload_entries",
        "Only WorkloadEntries that register anew are reached over HBONE.",
        "Register them again, or add the label networking.istio.io/tunnel=http to them.",
        _registered,
    ),
    Note(
        "1.30",
        "service_of_host",
        "For a host in several namespaces, a sidecar prefers a Service, then the oldest entry, not the first namespace.",
        "Set PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE=false in istiod, or compatibilityVersion 1.29, to keep the order.",
        _repeated_hosts,
    ),
    Note(
        "1.30",
        "untaint_controller",
        "The controller that removes taints from nodes is enabled by values.taint.enabled alone.",
        "Remove PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS from the environment of istiod.",
        _flag("PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS"),
    ),
    Note(
        "1.31",
        "unhealthy_endpoints",
        "istiod also sends unhealthy endpoints to proxies, unless outlierDetection.minHealthPercent is set.",
        "Set PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false in istiod, or compatibilityVersion 1.30, to keep them out.",
        _with("outlierDetection"),
    ),
    Note(
        "1.31",
        "upstream_spans",
        "The flag PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY no longer exists; gateways always have a span for each request.",
        "Remove the flag from the environment of istiod.",
        _flag("PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY"),
    ),
)
_NAMED = 3


def changes(facts: Facts) -> Iterator[dict[str, str]]:
    """Yield what the releases between the old and the new one change for this mesh."""
    for note in NOTES:
        if minor_of(facts.old.version) < minor_of(note.minor) <= minor_of(facts.new.version):
            used = list(note.uses(facts))
            if used:
                more = f" and {len(used) - _NAMED} others" if len(used) > _NAMED else ""
                about = f"It concerns {', '.join(used[:_NAMED])}{more}."
                yield finding(note.code, WARNING, used[0], f"{note.change} {about}", note.fix, release=note.minor)
