# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs Molecule's scenario aks where there is no Azure: against the stand-in, whose clusters are a lab.

tools/azure-scenario runs it. Arguments go to molecule, in place of `test`. With a login to Azure the scenario
needs nothing of this: `molecule test --scenario-name aks` makes a real cluster then, which costs money until it ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from ansible_collections.meshops.istio.tests.aks.cloud import Cloud
from ansible_collections.meshops.istio.tests.aks.server import StandIn
from ansible_collections.meshops.istio.tests.support.labs import ROOT, fresh_lab

LAB = "molecule-aks"


def main(arguments: list[str]) -> int:
    """Run the scenario; its exit status."""
    molecule = Path(sys.executable).with_name("molecule")
    command = [str(molecule), *(arguments or ["test"]), "--scenario-name", "aks"]
    with (
        fresh_lab(LAB) as (kubeconfig, variables),
        tempfile.TemporaryDirectory() as folder,
        StandIn(Cloud.with_kubeconfig_of(kubeconfig), Path(folder)) as azure,
    ):
        servers = [one["cluster"]["server"] for one in yaml.safe_load(kubeconfig.read_text())["clusters"]]
        # Only what is for Azure goes by the proxy that the stand-in is.
        here = ",".join(["127.0.0.1", "localhost", *(str(urlsplit(server).hostname) for server in servers)])
        environment = {**os.environ, **azure.environment, "NO_PROXY": here, "MESH_CLUSTER_VARIABLES": str(variables)}
        environment["PATH"] = f"{molecule.parent}:{variables.parent}/bin:{environment['PATH']}"
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
