# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make quickstart` does: choose the cluster, and run the quickstart's play on it.

CLUSTER=lab (the default) starts the lab, LAB naming which. CLUSTER=existing takes the kubeconfig's current cluster, names it, and goes on
only with YES=1. ARGS are passed on to ansible-playbook.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError


def lab() -> str:
    """Start the lab; returns its variables, as ansible-playbook's --extra-vars takes them."""
    command = [sys.executable, "-m", "lab"]
    subprocess.run([*command, "up", "--basic"], check=True)
    vars_file = subprocess.run([*command, "vars"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return f"@{vars_file.strip()}"


def existing(confirmed: bool) -> str:
    """Name the kubeconfig's cluster; returns the variables that select just this one. Exits unless `confirmed`."""
    kubeconfig = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    cluster = Cluster.connect({"kubeconfig": kubeconfig}, user_agent="meshops.istio/quickstart")
    print(f"quickstart: the cluster is {cluster.server}, context {cluster.context} of {kubeconfig}", flush=True)
    if not confirmed:
        sys.exit("quickstart: Istio and the application helloworld would be installed there; add YES=1 to do it.")
    return json.dumps({"mesh_kubeconfig": kubeconfig, "mesh_context": cluster.context})


def main() -> int:
    """Run the quickstart; returns ansible-playbook's exit code."""
    choice = os.environ.get("CLUSTER") or "lab"
    if choice not in {"lab", "existing"}:
        sys.exit(f"quickstart: CLUSTER is lab or existing, not {choice!r}.")
    variables = lab() if choice == "lab" else existing(os.environ.get("YES") == "1")
    arguments = shlex.split(os.environ.get("ARGS", ""))
    # Without an inventory ansible warns that it has none.
    command = ["ansible-playbook", "meshops.istio.quickstart", "--inventory", "localhost,"]
    command += ["--extra-vars", variables, *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeshError as error:
        sys.exit(f"quickstart: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
