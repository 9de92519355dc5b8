# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""egress: what becomes of its options, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, istio
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused

HOSTS = {"name": "out", "hosts": ["api.example.com"]}


def test_https_for_the_namespace_alone(mesh: Mesh, run: Run) -> None:
    run("egress", **HOSTS)
    assert mesh.spec("ServiceEntry", "out") == {
        "hosts": ["api.example.com"],
        "ports": [{"number": 443, "name": "https-443", "protocol": "HTTPS"}],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "exportTo": ["."],
    }
    assert mesh.live("Sidecar", "out-outbound") is None


def test_nothing_else_outside(mesh: Mesh, run: Run) -> None:
    run("egress", name="out", outbound="registry_only")
    assert mesh.spec("Sidecar", "out-outbound") == {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}
    assert mesh.live("ServiceEntry", "out") is None


def test_an_address(mesh: Mesh, run: Run) -> None:
    run(
        "egress",
        name="ledger",
        hosts=["ledger.internal"],
        ports=[{"number": 5432, "protocol": "tcp"}],
        resolution="static",
        addresses=["10.1.2.3"],
        endpoints=[{"address": "10.1.2.3", "ports": {"tcp-5432": 15432}}],
        export_to=["*"],
    )
    spec = mesh.spec("ServiceEntry", "ledger")
    assert spec["endpoints"] == [{"address": "10.1.2.3", "ports": {"tcp-5432": 15432}}]
    assert (spec["addresses"], spec["resolution"], spec["exportTo"]) == (["10.1.2.3"], "STATIC", ["*"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "neither hosts nor outbound"),
        ({"hosts": ["*.example.com"]}, "wildcard host '*.example.com' & DNS & resolution none"),
        ({"hosts": ["a.b"], "resolution": "static"}, "resolution static & set endpoints"),
        (
            {"hosts": ["a.b"], "resolution": "none", "endpoints": [{"address": "1.2.3.4"}]},
            "resolution none & endpoints & conflict",
        ),
        ({"hosts": ["a.b"], "ports": []}, "set ports"),
        ({"hosts": ["a.b"], "ports": [{"number": 443}, {"number": 443}]}, "port name 'https-443' & duplicate"),
    ],
)
def test_options_that_make_no_sense(refused: Refused, options: dict[str, Any], words: str) -> None:
    assert has_facts(refused("egress", name="out", **options)["msg"], words)


def test_a_host_that_has_an_entry(mesh: Mesh, refused: Refused) -> None:
    entry = {"hosts": ["api.example.com"], "ports": [{"number": 443}]}
    mesh.add(istio("ServiceEntry", "older", entry, namespace="other"))
    result = refused("egress", **HOSTS)
    assert has_facts(result["msg"], "host 'api.example.com' & already exists & ServiceEntry other/older")


def test_an_entry_that_is_bound_to_another_namespace(mesh: Mesh, run: Run) -> None:
    entry = {"hosts": ["api.example.com"], "ports": [{"number": 443}], "exportTo": ["."]}
    mesh.add(istio("ServiceEntry", "older", entry, namespace="other"))
    assert run("egress", **HOSTS)["changed"]


def test_a_second_sidecar_for_a_namespace(mesh: Mesh, refused: Refused) -> None:
    mesh.add(istio("Sidecar", "default", {"egress": [{"hosts": ["./*"]}]}))
    result = refused("egress", **HOSTS, outbound="registry_only")
    assert result["code"] == "sidecar_taken"


def test_a_sidecar_of_one_workload_is_no_second(mesh: Mesh, run: Run) -> None:
    mesh.add(istio("Sidecar", "web", {"workloadSelector": {"labels": {"app": "web"}}}))
    assert run("egress", **HOSTS, outbound="registry_only")["changed"]
