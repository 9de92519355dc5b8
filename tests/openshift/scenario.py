# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs Molecule's scenario openshift where there is no OpenShift: on a lab with a stand-in for what OpenShift adds.

tools/openshift-scenario runs it. Arguments go to molecule, in place of `test`. With the kubeconfig of an OpenShift in
KUBECONFIG the scenario needs nothing of this: `molecule test --scenario-name openshift` works on that cluster then.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.tests.openshift.stand_in import OpenShift
from ansible_collections.meshops.istio.tests.support.labs import ROOT, fresh_lab

LAB = "molecule-openshift"


def with_overlay(variables: dict[str, Any]) -> dict[str, Any]:
    """The variables of a site on the lab, with what OpenShift's admission would do."""
    return {**variables, "mesh_overlays": [*variables["mesh_overlays"], str(Path(__file__).with_name("overlay.yml"))]}


def main(arguments: list[str]) -> int:
    """Run the scenario; its exit status."""
    command = ["molecule", *(arguments or ["test"]), "--scenario-name", "openshift"]
    with (
        fresh_lab(LAB, "ARGS=--cni") as (kubeconfig, given),
        tempfile.TemporaryDirectory() as folder,
        OpenShift(LAB, str(kubeconfig)),
    ):
        variables = Path(folder) / "lab.yml"
        variables.write_text(yaml.safe_dump(with_overlay(yaml.safe_load(given.read_text()))))
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "MESH_CLUSTER_VARIABLES": str(variables)}
        environment["PATH"] = f"{given.parent}/bin:{environment['PATH']}"
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
