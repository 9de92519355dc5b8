# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab that is up: its variables, and the writes that its API server has seen."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    def version(self) -> str:
        """The release of Istio that a site on it installs."""
        return str(self.variables["mesh_version"])

    @property
    def sources(self) -> list[str]:
        """Where its releases of Istio are, each in a folder of its own."""
        found: str | list[str] = self.variables["mesh_release_source"]
        return [found] if isinstance(found, str) else found

    @property
    def release(self) -> dict[str, Any]:
        """Options that name the release which the lab was built with."""
        return {"version": self.version, "source": self.sources}

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


def now() -> datetime:
    """This moment, for `Lab.writes_since`."""
    return datetime.now(UTC)
