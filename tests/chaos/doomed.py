# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An install in a process of its own, which kills itself: `doomed KUBECONFIG RELEASE OPTIONS WRITE`.

OPTIONS are a control plane's, as JSON. It dies just after the WRITEth write, counted from 1, has been answered, and
says before which one that was; of a WRITE of 0 it says how many there were.
"""

from __future__ import annotations

import json
import sys

from ansible_collections.meshops.istio.plugins.module_utils.istio.release import find_release
from ansible_collections.meshops.istio.tests.equivalence.cases import Input
from ansible_collections.meshops.istio.tests.equivalence.sides import Ours
from ansible_collections.meshops.istio.tests.integration.kube.worker import DoomedCluster

from lab import versions


def main(kubeconfig: str, source: str, options: str, write: str) -> None:
    """Install, as the arguments say."""
    release, _fetched = find_release(versions.ISTIO, source=source)
    cluster = DoomedCluster.connect({"kubeconfig": kubeconfig}, user_agent="meshops.istio/doomed")
    assert isinstance(cluster, DoomedCluster)
    cluster.remaining = int(write) or -1
    Ours(release, kubeconfig, cluster).install(Input("doomed", json.loads(options)))
    print(len(cluster.writes))


if __name__ == "__main__":
    main(*sys.argv[1:])
