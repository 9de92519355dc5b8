# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of proxies: configuration acknowledged by Envoy (xDS), and certificates."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...kube.api.pod_http import ask, asking
from ...kube.api.responses import decoded
from ...kube.errors import Unreachable
from ...kube.objects.kinds import POD
from ...kube.objects.objects import Object
from ...kube.objects.shapes import MAP, TEXT, List, Map, fitting, maps_of
from ...kube.plan.permissions import refuse_denied
from ..model.labels import REVISION, labels_of
from ..model.proxies import has_ended, proxy_of, proxy_version, revision_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.progress import Progress

SYNCED, STALE, DISCONNECTED = "synced", "stale", "disconnected"
VALID, EXPIRING, EXPIRED, NOT_YET = "valid", "expiring", "expired", "not_yet_valid"

ISTIOD_PORT, ENVOY_PORT = 15014, 15000
"""The debug ports of istiod and Envoy, which answer inside their pods only."""
_PARTS = {"cluster": "CDS", "listener": "LDS", "route": "RDS", "endpoint": "EDS", "extensionconfig": "ECDS"}
_LAST_TENTH = 10
"""A short-lived certificate is renewed long before this fraction of its lifetime is left."""
_PAUSE = 1.0
_CERTIFICATE = Map(
    {"serial_number": TEXT, "subject_alt_names": List(MAP), "valid_from": TEXT, "expiration_time": TEXT},
    required=("valid_from", "expiration_time"),
)
_CERTIFICATES = Map({"certificates": List(Map(dict.fromkeys(("ca_cert", "cert_chain"), List(_CERTIFICATE))))})


@dataclass
class Proxy:
    """A running proxy; `stale`: the parts of its configuration (CDS, LDS ...) that it has not acknowledged.

    certificates: None if Envoy does not answer.
    """

    namespace: str
    name: str
    revision: str
    version: str
    state: str = DISCONNECTED
    stale: list[str] = field(default_factory=list)
    certificates: list[Certificate] | None = None

    @property
    def pod(self) -> str:
        """The namespace and name of its pod."""
        return f"{self.namespace}/{self.name}"

    def as_dict(self) -> dict[str, Any]:
        """Return the proxy as plain data, without its certificates."""
        return {
            "pod": self.pod,
            "revision": self.revision,
            "version": self.version,
            "state": self.state,
            "stale": self.stale,
            "answers": self.certificates is not None,
        }


@dataclass(frozen=True)
class Certificate:
    """A certificate that a proxy presents or trusts; `names`: its subject alternative names; `authority`: it is a CA."""

    serial: str
    names: tuple[str, ...]
    authority: bool
    begins: datetime
    ends: datetime

    def state(self, now: datetime, days: int) -> str:
        """Return its state: expiring if less than `days`, or less than a tenth of its lifetime, are left."""
        if now < self.begins:
            return NOT_YET
        if now >= self.ends:
            return EXPIRED
        margin = min(timedelta(days=days), (self.ends - self.begins) / _LAST_TENTH)
        return EXPIRING if self.ends - now < margin else VALID


def read_proxies(cluster: Cluster, namespace: str = "", *, patience: float, progress: Progress) -> list[Proxy]:
    """Read the running proxies of the control planes in `namespace` (all if empty), sorted by pod.

    Waits up to `patience` seconds for configuration that was just sent. Raises Refused without permission, and
    Unreachable if an istiod does not answer.
    """
    istiods, pods = cluster.list_many([(POD, namespace, "app=istiod"), (POD, "", "")])
    running = [pod for pod in istiods if runs(pod)]
    revisions = {labels_of(pod).get(REVISION, "default") for pod in running}
    proxies = [
        Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"], revision_of(pod), proxy_version(pod))
        for pod in pods
        if runs(pod) and proxy_of(pod) is not None and revision_of(pod) in {"", *revisions}
    ]
    places = [one["metadata"]["namespace"] for one in running] + [one.namespace for one in proxies]
    refuse_denied(cluster, asking(sorted(set(places))))
    until = time.monotonic() + patience
    _compare(cluster, running, proxies)
    while (late := [one for one in proxies if one.state != SYNCED]) and running and time.monotonic() < until:
        progress(f"waiting for {len(late)} proxies to be synced, such as Pod {late[0].pod}")
        time.sleep(_PAUSE)
        _compare(cluster, running, late)
    for proxy, found in zip(proxies, cluster.parallel(lambda one: _certificates(cluster, one), proxies), strict=True):
        proxy.certificates = found
    return sorted(proxies, key=lambda one: one.pod)


def used(proxies: Iterable[Proxy]) -> list[tuple[Certificate, list[str]]]:
    """Return each certificate once with the pods that use it, sorted by expiry."""
    pods: dict[Certificate, list[str]] = {}
    for proxy in proxies:
        for certificate in dict.fromkeys(proxy.certificates or ()):
            pods.setdefault(certificate, []).append(proxy.pod)
    return sorted(pods.items(), key=lambda one: (one[0].ends, one[0].serial))


def runs(pod: Object) -> bool:
    """Return whether a pod is running and has not ended."""
    return not has_ended(pod) and (pod.get("status") or {}).get("phase") == "Running"


def _compare(cluster: Cluster, istiods: Sequence[Object], proxies: Sequence[Proxy]) -> None:
    """Set the state of each proxy: whether it has acknowledged all that istiod has sent."""
    reported = unacknowledged(cluster, istiods)
    for proxy in proxies:
        # A proxy that has just reconnected to another istiod is known to both.
        connections = reported.get(f"{proxy.name}.{proxy.namespace}", [])
        proxy.stale = min(connections, key=len, default=[])
        proxy.state = (STALE if proxy.stale else SYNCED) if connections else DISCONNECTED


def unacknowledged(cluster: Cluster, istiods: Sequence[Object]) -> dict[str, list[list[str]]]:
    """Return what each connected proxy (NAME.NAMESPACE) has not acknowledged, for each of its connections."""
    reported: dict[str, list[list[str]]] = {}
    for text in cluster.parallel(lambda istiod: _sync_status(cluster, istiod), istiods):
        for one in maps_of(decoded(text.encode())):
            reported.setdefault(str(one.get("proxy")), []).append(_unacknowledged(one))
    return reported


def _sync_status(cluster: Cluster, istiod: Object) -> str:
    metadata = istiod["metadata"]
    return ask(cluster, metadata["namespace"], metadata["name"], ISTIOD_PORT, "/debug/syncz")


def _unacknowledged(entry: Object) -> list[str]:
    """Return the parts that were sent and not acknowledged."""
    sent = {part: entry.get(f"{part}_sent") for part in _PARTS}
    return [_PARTS[part] for part, nonce in sent.items() if nonce and nonce != entry.get(f"{part}_acked")]


def _certificates(cluster: Cluster, proxy: Proxy) -> list[Certificate] | None:
    try:
        answer = (
            fitting(json.loads(ask(cluster, proxy.namespace, proxy.name, ENVOY_PORT, "/certs")), _CERTIFICATES) or {}
        )
        return [
            _certificate(one, authority=kind == "ca_cert")
            for entry in answer.get("certificates") or ()
            for kind in ("ca_cert", "cert_chain")
            for one in entry.get(kind) or ()
        ]
    except (Unreachable, ValueError):
        return None


def _certificate(entry: Object, *, authority: bool) -> Certificate:
    names = tuple(str(name) for alternative in entry.get("subject_alt_names") or () for name in alternative.values())
    return Certificate(
        str(entry.get("serial_number") or ""),
        names,
        authority,
        _time(entry["valid_from"]),
        _time(entry["expiration_time"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
