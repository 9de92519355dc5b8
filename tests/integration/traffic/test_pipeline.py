# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules of traffic and security share, as the API server and Istio's own analysis see it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.traffic.shop import MESH, Shop
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run

ALL: list[tuple[str, dict[str, Any]]] = [
    ("gateway", {"name": "gate", "servers": [{"port": 80, "hosts": ["*.test"]}]}),
    (
        "traffic_route",
        {
            "name": "hello",
            "hosts": ["hello.test"],
            "gateways": ["gate"],
            "subsets": [
                {"name": "v1", "labels": {"version": "v1"}},
                {"name": "v2", "labels": {"version": "v2"}},
            ],
            "http": [
                {
                    "match": [
                        {"headers": {"end-user": "jason", "x-any": {"present": True}}},
                        {"cookies": {"group": "beta"}, "path": {"prefix": "/hello"}},
                        {"user_agent": {"contains": "Mobile"}, "query": {"debug": "1"}},
                    ],
                    "to": [{"host": "hello", "subset": "v2"}],
                    "mirror": {"host": "httpbin", "percent": 5},
                },
                {
                    "to": [
                        {"host": "hello", "subset": "v1", "weight": 80},
                        {"host": "hello", "subset": "v2", "weight": 20},
                    ],
                    "fault": {"delay": {"percent": 0.5, "duration": "100ms"}, "abort": {"percent": 0, "status": 500}},
                    "retries": {"attempts": 2, "per_try_timeout": "250ms", "conditions": ["5xx"]},
                    "timeout": 2,
                    "cors": {"origins": [{"prefix": "https://"}], "methods": ["GET"], "max_age": "1h"},
                    "headers": {"response": {"set": {"x-by": "route"}}},
                },
            ],
        },
    ),
    (
        "traffic_policy",
        {
            "name": "httpbin",
            "destination": "httpbin",
            "session_affinity": {"header": "x-user"},
            "connection_pool": {"max_connections": 100, "connect_timeout": "1s", "idle_timeout": 60},
            "outlier_detection": {"consecutive_5xx_errors": 5, "base_ejection_time": "30s"},
            "locality": {"failover_priority": ["version=v1"]},
            "rate_limit": {"requests": 1000, "interval": "1m", "burst": 2000},
        },
    ),
    ("mtls", {"name": "httpbin", "selector": {"app": "httpbin"}, "ports": {"8080": "permissive"}}),
    (
        "authorization",
        {
            "name": "httpbin",
            "selector": {"app": "httpbin"},
            "action": "deny",
            "rules": [
                {
                    "from": [{"not_namespaces": [MESH], "ip_blocks": ["192.0.2.0/24"]}],
                    "to": [{"methods": ["DELETE"], "paths": ["/admin*"], "ports": ["8080"]}],
                    "when": [{"key": "request.headers[x-tenant]", "not_values": ["a"]}],
                }
            ],
            "jwt": [{"issuer": "https://issuer.test", "jwks": '{"keys": []}', "audiences": ["shop"]}],
            "jwt_required": False,
        },
    ),
    ("egress", {"name": "outside", "hosts": ["api.example.com"], "outbound": "registry_only"}),
]


def set_all(run: Run) -> None:
    for module, options in ALL:
        run(module, **options)


def test_a_second_run_writes_nothing(run: Run, run_module: Run, lab: Lab, shop: Shop) -> None:
    set_all(run)
    begun = now()
    results = [run_module(module, kubeconfig=lab.kubeconfig, namespace=MESH, **options) for module, options in ALL]
    assert [result["changes"] for result in results] == [[]] * len(ALL)
    assert lab.writes_since(begun) == 0


def test_what_is_absent_leaves_nothing(run: Run, shop: Shop) -> None:
    before = shop.settings()
    set_all(run)
    for module, options in reversed(ALL):
        run(module, name=options["name"], state="absent")
    assert shop.settings() == before


def test_istios_analysis_finds_nothing_wrong(run: Run, lab: Lab, shop: Shop) -> None:
    set_all(run)
    istioctl = Path(lab.release["source"][0]) / f"istio-{lab.release['version']}" / "bin" / "istioctl"
    if not istioctl.exists():
        pytest.skip("the lab's release is not unpacked")
    command = [str(istioctl), "--kubeconfig", lab.kubeconfig, "analyze", "--namespace", MESH, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = {(message["code"], message["origin"].partition(" ")[0]) for message in json.loads(done.stdout)}
    # That an EnvoyFilter is one at all.
    assert found <= {("IST0133", "EnvoyFilter")}, done.stdout
