# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the five documents do, by the number of the step: words that tell the row of the table which shows it."""

from __future__ import annotations

from collections.abc import Iterable

Row = tuple[str, str]
"""A step's number, and what the table says of it."""

CHECKLIST = {
    "000.1": ("one more container, istio-proxy", "injected by hand runs"),
    "000.2": ("each part in the mesh and ready",),
    "000.3": ("has an address, and its page answers", "/echo/universe"),
    "000.4": ("alternate", "routing"),
    "001.1": ("istioctl of the named version, and its precheck",),
    "001.2": ("core, istiod, egress and ingress gateways",),
    "001.3": ("labelled",),
    "001.4": ("infrastructure is older",),
    "001.5": ("in the mesh, what they need is outside", "node ports"),
    "001.6": ("in their own pods",),
    "001.7": ("analysis",),
    "001.8": ("through the gateway's node port",),
    "001.9": ("all addons", "Kiali answers on 20001", "picture"),
    "002.1": ("the CRDs before", "with mutual TLS plain text is refused", "not set while somebody speaks plain text"),
    "002.2": ("from LoadBalancer to NodePort",),
    "002.3": ("the bare pod is in the mesh",),
    "002.4": ("in the pod", "at any node's address"),
    "002.5": (
        "discovery",
        "load balancing of HTTP",
        "load balancing of gRPC",
        "load balancing of WebSocket",
        "load balancing of TCP",
        "failure recovery",
        "retries",
        "failover",
        "circuit breaking",
        "health checks",
        "fault injection",
        "metrics",
        "monitoring",
        "logs",
        "traces",
        "A/B testing",
        "canary",
        "percentage rollout",
        "rate limiting",
        "access control",
        "end-to-end authentication",
        "TLS termination",
    ),
    "003.1": ("oldest versions",),
    "003.2": ("the installation is there", "Helm's charts"),
    "003.3": ("lead to the calculator's page", "a user's own service"),
    "003.4": ("were restarted, and have their sidecar",),
    "003.5": ("Kiali answers", "Grafana has the mesh's dashboards", "picture"),
    "003.6": ("fault injection", "mirroring", "mutual TLS"),
    "003.7": ("egress",),
    "004.1": ("minikube",),
    "004.2": ("exactly two pods",),
    "004.3": ("12 Deployments and 12 Services", "no sidecars"),
    "004.4": ("brought into the mesh, and no visitor notices", "istio-init, image proxyv2"),
    "004.5": ("Zipkin instead of Jaeger", "prometheus-operator"),
    "004.6": ("each pod carries the label app", "reported"),
    "004.7": ("a canary by percentage",),
}


def missing(rows: Iterable[Row]) -> list[Row]:
    """What of the checklist no row of the table is about."""
    known = list(rows)
    return [
        (number, words)
        for number, wanted in CHECKLIST.items()
        for words in wanted
        if not any(number == of and words in text for of, text in known)
    ]
