# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules in this process, and tells at the end how much was tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.fuzz import driver
from ansible_collections.meshops.istio.tests.support.kube import api_server
from ansible_collections.meshops.istio.tests.support.mesh_api import KINDS
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module  # noqa: F401 - a fixture
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease
from ansible_collections.meshops.istio.tests.unit.modules.conftest import _no_surroundings, made  # noqa: F401 - fixtures

Try = Callable[..., None]

__all__ = ["MadeRelease"]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, resource in KINDS.items():
        monkeypatch.setitem(api_server.KINDS, f"{kind.api_version}/{resource.plural}", kind.kind)


@pytest.fixture
def attempt(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> Try:  # noqa: F811
    """Run a module on a cluster, and want success or one sentence."""

    def run(cluster: Cluster, module: str, /, **options: Any) -> None:
        monkeypatch.setattr(Cluster, "connect", lambda *_arguments, **_options: cluster)
        result = run_module(module, verbosity=3, **options)
        if result.get("failed"):
            if result.get("code") == "unexpected":
                raise AssertionError(f"{module}: {result['msg']}\n{''.join(result['details'].get('traceback', ()))}")
            driver.check_sentence(result["msg"])

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much was tried."""
    if driver.tried:
        terminalreporter.write_line(f"{sum(driver.tried.values())} inputs of seed {driver.SEED}")
