# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab that the tests run on, which LAB names: its variables, and the writes that its API server has seen."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.steps import (
    pytest_configure,
    pytest_runtest_makereport,
    pytest_terminal_summary,
    seen,
)

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_terminal_summary", "seen"]

CHECKOUT = Path(__file__).resolve().parents[2]


class Lab:
    """A lab that is up, as a site on it sees it."""

    def __init__(self, name: str) -> None:
        self._command = [sys.executable, "-m", "lab", "--lab", name]
        path = self._run("vars")
        if path is None:
            pytest.skip(f"the lab {name} is not up")
        self.variables_file = path
        self.variables: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))

    @property
    def kubeconfig(self) -> str:
        """The path of its kubeconfig."""
        return str(self.variables["mesh_kubeconfig"])

    @property
    def release(self) -> dict[str, Any]:
        """Options that name the release which the lab was built with."""
        return {"version": "1.29.1", "source": [self.variables["mesh_release_source"]]}

    @property
    def control_plane(self) -> dict[str, Any]:
        """Options of a control plane that runs on the lab."""
        return {**self.release, "overlays": self.variables["mesh_overlays"]}

    def writes_since(self, moment: datetime) -> int:
        """How many writes of the collection its API server has seen since then."""
        found = self._run("writes", "--user-agent", "meshops.istio/", "--since", moment.isoformat())
        assert found is not None
        return int(found)

    def _run(self, *arguments: str) -> str | None:
        done = subprocess.run([*self._command, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab(os.environ.get("LAB", "default"))


@pytest.fixture(scope="session")
def gateway_api() -> str:
    """The folder with the Gateway API's CRDs, from the Go module that Istio itself is built with."""
    where = "from lab import golang; print(golang.module_folder(golang.NODE, 'sigs.k8s.io/gateway-api'))"
    found = subprocess.run([sys.executable, "-c", where], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return str(Path(found.stdout.strip()) / "config" / "crd" / "standard")


def now() -> datetime:
    """This moment, for `Lab.writes_since`."""
    return datetime.now(UTC)
