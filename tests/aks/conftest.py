# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Azure for each test, and runs of the provider aks against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.aks.cloud import Cloud
from ansible_collections.meshops.istio.tests.aks.server import StandIn
from ansible_collections.meshops.istio.tests.support.playbook import Run

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "roles/cluster/meta/argument_specs.yml"
KUBECONFIG = "apiVersion: v1\nkind: Config\nusers: [{name: admin, user: {token: very-secret}}]\n"
WANTED = {"cluster_name": "shop", "cluster_aks_location": "westeurope", "cluster_kubernetes_version": "1.34.3"}


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[StandIn]:
    """Azure, as far as it goes here."""
    with StandIn(Cloud(KUBECONFIG), tmp_path) as stand_in:
        yield stand_in


@dataclass
class Runner:
    """Runs playbooks on one host, with the environment that leads to the stand-in."""

    azure: StandIn
    folder: Path

    def __call__(
        self, playbook: str, *arguments: str, environment: dict[str, str | None] | None = None, **variables: Any
    ) -> Run:
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": {"cluster": {"spec": str(SPEC), **variables}}}}))
        around = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "AZURE_"))}
        around |= {"ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder), "PATH": f"{self.folder}:{os.environ['PATH']}"}
        changed = {**self.azure.environment, **(environment or {})}
        around |= {key: value for key, value in changed.items() if value is not None}
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), playbook, "--inventory", str(inventory), *arguments]
        done = subprocess.run(command, env=around, cwd=self.folder, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(azure: StandIn, tmp_path: Path) -> Runner:
    """Runs a playbook."""
    return Runner(azure, tmp_path)


class Provider:
    """The provider aks."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def present(self, *arguments: str, **variables: Any) -> Run:
        """Have the cluster `shop`."""
        return self._run(str(HERE / "provider.yml"), *arguments, **{**WANTED, **variables})

    def absent(self, *arguments: str, **variables: Any) -> Run:
        """Have no cluster `shop`."""
        return self.present(*arguments, cluster_state="absent", **variables)

    def refused(self, **variables: Any) -> str:
        """The one sentence with which it is refused."""
        run = self.present(**variables)
        assert run.returncode == 2, run.text
        assert "Traceback" not in run.text
        return run.last_failures["cluster"]


@pytest.fixture
def provider(run: Runner) -> Provider:
    """The provider aks."""
    return Provider(run)
