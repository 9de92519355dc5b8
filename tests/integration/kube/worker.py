# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in a process of its own, to be killed: `worker.py NAMESPACE LOCK MANIFESTS [REQUEST]`.

It kills itself just after the REQUESTth write, counted from 1, has been answered. A REQUEST of 0: it holds the lock for
ever, says so, and writes nothing more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock, locked
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.integration.kube.place import MANAGER, Place, WatchedCluster

PREVIOUS_MANAGERS = frozenset({"istio-operator"})


class DoomedCluster(WatchedCluster):
    """Ends or stops this process after a number of writes, and says which was the last.

    They are counted for all clusters of the process: a lock makes requests of its own.
    """

    remaining = -1
    signal = signal.SIGKILL
    _counting = threading.Lock()

    def raw(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        before = len(self.writes)
        answer = super().raw(method, path, body, **more)
        with self._counting:
            if len(self.writes) > before:
                DoomedCluster.remaining -= 1
                if DoomedCluster.remaining == 0:
                    print(f"{method} {path}", flush=True)
                    os.kill(os.getpid(), self.signal)
        return answer


def main(namespace: str, lock: str, manifests: str, request: str = "-1") -> None:
    """Reconcile, as the arguments say."""
    cluster = DoomedCluster.connect({"kubeconfig": os.environ["KUBECONFIG"]}, user_agent="tests")
    assert isinstance(cluster, DoomedCluster)
    place = Place(cluster, namespace)
    if request == "0":
        with locked(cluster, Lock(lock), manager=MANAGER, deadline=time.monotonic() + 60, progress=silent):
            print("locked", flush=True)
            time.sleep(600)
    DoomedCluster.remaining = int(request)
    place.run(Path(manifests).read_text(), lock=Lock(lock), previous_managers=PREVIOUS_MANAGERS, timeout=60.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
