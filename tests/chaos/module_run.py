# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a process of its own, which ends or stops itself: `module_run KUBECONFIG MODULE OPTIONS WRITE SIGNAL`.

OPTIONS are the module's, as JSON. It gets the SIGNAL (SIGKILL or SIGSTOP) just after the WRITEth write, counted from 1,
has been answered, and says before which one that was; a WRITE of 0 leaves it alone. It ends with two lines: the module's
result, and how many writes there were.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from ansible.module_utils import basic
from ansible_collections.meshops.istio.plugins.module_utils import module
from ansible_collections.meshops.istio.tests.integration.kube.worker import DoomedCluster
from ansible_collections.meshops.istio.tests.support import documentation


def main(kubeconfig: str, name: str, options: str, write: str, signal_name: str) -> None:
    """Run the module, as the arguments say."""
    DoomedCluster.remaining = int(write) or -1
    DoomedCluster.signal = signal.Signals[signal_name]
    clusters: list[DoomedCluster] = []

    class Connected(DoomedCluster):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            clusters.append(self)

    setattr(module, "Cluster", Connected)  # noqa: B010 - the module does not export it
    arguments = {"kubeconfig": kubeconfig, "_ansible_remote_tmp": "/tmp", **json.loads(options)}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    try:
        documentation.module(name).main()
    finally:
        print(sum(len(cluster.writes) for cluster in clusters), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
