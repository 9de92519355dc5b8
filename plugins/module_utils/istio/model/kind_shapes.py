# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the fields of Istio's kinds that the collection reads."""

from __future__ import annotations

from ...kube.objects.shapes import BOOLEAN, MAP, NUMBER, TEXT, TEXTS, List, Map, Shape

_TEXT_LIST = List(TEXT)
_MAPS = List(MAP)
_PORT = Map({"number": NUMBER, "name": TEXT, "protocol": TEXT, "targetPort": NUMBER}, required=("number",))
_SELECTOR = Map({"matchLabels": TEXTS})
_TARGETS: dict[str, Shape] = {"selector": _SELECTOR, "targetRef": MAP, "targetRefs": _MAPS}
_WORKLOADS = Map({"labels": TEXTS})

_DESTINATION = Map({"host": TEXT, "subset": TEXT, "port": Map({"number": NUMBER})}, required=("host",))
_WEIGHTED = List(Map({"destination": _DESTINATION, "weight": NUMBER, "headers": MAP}, required=("destination",)))
_HTTP = Map(
    {
        "name": TEXT,
        "match": _MAPS,
        "route": _WEIGHTED,
        "mirror": _DESTINATION,
        **dict.fromkeys(("redirect", "directResponse", "rewrite", "fault", "retries", "headers", "corsPolicy"), MAP),
    }
)
_CONNECTIONS = List(Map({"match": _MAPS, "route": _WEIGHTED}))
_POLICY = Map({"tls": Map({"mode": TEXT}), "portLevelSettings": _MAPS})
_SERVERS = List(
    Map(
        {
            "port": _PORT,
            "hosts": _TEXT_LIST,
            "tls": Map({"mode": TEXT, "credentialName": TEXT, "httpsRedirect": BOOLEAN}),
        },
        required=("port", "hosts"),
    )
)
_MTLS = Map({"mode": TEXT})

SPECS: dict[tuple[str, str], Map] = {
    ("networking.istio.io", "DestinationRule"): Map(
        {
            "host": TEXT,
            "exportTo": _TEXT_LIST,
            "workloadSelector": _SELECTOR,
            "trafficPolicy": _POLICY,
            "subsets": List(Map({"name": TEXT, "labels": TEXTS, "trafficPolicy": _POLICY}, required=("name",))),
        },
        required=("host",),
    ),
    ("networking.istio.io", "EnvoyFilter"): Map({"workloadSelector": _WORKLOADS, "configPatches": _MAPS}),
    ("networking.istio.io", "Gateway"): Map({"selector": TEXTS, "servers": _SERVERS}),
    ("networking.istio.io", "ProxyConfig"): Map({"selector": _SELECTOR}),
    ("networking.istio.io", "ServiceEntry"): Map(
        {
            **dict.fromkeys(("hosts", "addresses", "exportTo"), _TEXT_LIST),
            **dict.fromkeys(("location", "resolution"), TEXT),
            "ports": List(_PORT),
            "endpoints": _MAPS,
            "workloadSelector": _WORKLOADS,
        }
    ),
    ("networking.istio.io", "Sidecar"): Map({"workloadSelector": _WORKLOADS, "egress": _MAPS, "ingress": _MAPS}),
    ("networking.istio.io", "VirtualService"): Map(
        {
            **dict.fromkeys(("hosts", "gateways", "exportTo"), _TEXT_LIST),
            "http": List(_HTTP),
            "tls": _CONNECTIONS,
            "tcp": _CONNECTIONS,
        }
    ),
    ("networking.istio.io", "WorkloadEntry"): Map({"labels": TEXTS}),
    ("networking.istio.io", "WorkloadGroup"): MAP,
    ("security.istio.io", "AuthorizationPolicy"): Map({**_TARGETS, "rules": _MAPS}),
    ("security.istio.io", "PeerAuthentication"): Map(
        {"selector": _SELECTOR, "mtls": _MTLS, "portLevelMtls": Map(each=_MTLS)}
    ),
    ("security.istio.io", "RequestAuthentication"): Map({**_TARGETS, "jwtRules": _MAPS}),
    ("telemetry.istio.io", "Telemetry"): Map({**_TARGETS, "tracing": _MAPS, "accessLogging": _MAPS, "metrics": _MAPS}),
    ("extensions.istio.io", "TrafficExtension"): Map(_TARGETS),
    ("extensions.istio.io", "WasmPlugin"): Map(_TARGETS),
}
"""The shape of the `spec` of each kind, by group and kind."""
