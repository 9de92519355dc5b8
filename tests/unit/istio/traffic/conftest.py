# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the modules of traffic and security against an API server that has a shop in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube import api_server
from ansible_collections.meshops.istio.tests.support.mesh_api import KINDS, Mesh, shop
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module  # noqa: F401 - a fixture
from ansible_collections.meshops.istio.tests.unit.modules.conftest import _no_surroundings  # noqa: F401 - a fixture

Refused = Callable[..., dict[str, Any]]


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mesh]:
    for kind, resource in KINDS.items():
        monkeypatch.setitem(api_server.KINDS, f"{kind.api_version}/{resource.plural}", kind.kind)
    server = Mesh()
    with server:
        server.add(*shop())
        yield server


@pytest.fixture
def run(run_module: Run, mesh: Mesh) -> Run:  # noqa: F811
    """Run a module in the namespace of the shop; it has to succeed."""

    def run(module: str, /, **options: Any) -> dict[str, Any]:
        hasty = {"pause": 0} if module == "traffic_route" else {}
        given = {"namespace": "shop", **hasty, **options}
        result = run_module(module, host=mesh.url, api_key="swordfish", **given)
        assert not result.get("failed"), result["msg"]
        return result

    return run


@pytest.fixture
def refused(run_module: Run, mesh: Mesh) -> Refused:  # noqa: F811
    """Run a module that has to fail, without a write; returns its result."""

    def run(module: str, /, **options: Any) -> dict[str, Any]:
        result = run_module(module, host=mesh.url, api_key="swordfish", **{"namespace": "shop", **options})
        assert result.get("failed"), result
        assert mesh.writes == []
        assert result["msg"].endswith(".")
        assert "\n" not in result["msg"]
        return result

    return run


def warnings_of(result: dict[str, Any]) -> str:
    """The warnings of a result as one text; newer versions of ansible-core wrap each in an object."""
    return json.dumps(result.get("warnings", []))
