# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does on a lab what Multus does on an OpenShift for a mesh: has the plugin that Istio's CNI agent has installed set up
the network of each pod that names it. Multus is asked by the container runtime; this looks for pods that are new.
"""

from __future__ import annotations

import subprocess
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind

from lab import debian
from lab.paths import Lab

POD = Kind("v1", "Pod")
NETWORKS = "k8s.v1.cni.cncf.io/networks"
ISTIO = "default/istio-cni"
PLUGIN = "/var/lib/cni/bin/istio-cni"
CONFIGURATION = "/etc/cni/multus/net.d/istio-cni.conf"


class Multus:
    """The stand-in on a lab, for whoever calls `look` again and again."""

    def __init__(self, lab: str, cluster: Cluster) -> None:
        self._lab = Lab(lab)
        self._cluster = cluster
        self._done: set[str] = set()  # sandboxes

    def look(self) -> None:
        """Set up the networks of pods that have come."""
        for pod in self._cluster.list(POD):
            annotations = pod["metadata"].get("annotations") or {}
            if ISTIO not in annotations.get(NETWORKS, "") or pod["status"].get("phase") != "Pending":
                continue
            for sandbox in self._sandboxes(pod) - self._done:
                if self._set_up(pod, sandbox):
                    self._done.add(sandbox)

    def _sandboxes(self, pod: dict[str, Any]) -> set[str]:
        labels = {"io.cri-containerd.kind": "sandbox", "io.kubernetes.pod.uid": pod["metadata"]["uid"]}
        words = ",".join(f'labels."{name}"=={value}' for name, value in labels.items())
        return set(self._containerd("containers", "ls", "--quiet", words).split())

    def _set_up(self, pod: dict[str, Any], sandbox: str) -> bool:
        """Call the plugin as Multus would, in the node's file system and network; whether there was one to call."""
        tasks = (line.split() for line in self._containerd("tasks", "ls").splitlines())
        process = next((words[1] for words in tasks if words[0] == sandbox), None)
        if process is None:
            return False
        names = {
            "IgnoreUnknown": "1",
            "K8S_POD_NAMESPACE": pod["metadata"]["namespace"],
            "K8S_POD_NAME": pod["metadata"]["name"],
            "K8S_POD_INFRA_CONTAINER_ID": sandbox,
        }
        environment = {
            "CNI_COMMAND": "ADD",
            "CNI_CONTAINERID": sandbox,
            "CNI_NETNS": f"/proc/{process}/ns/net",
            "CNI_IFNAME": "eth0",
            "CNI_PATH": "/var/lib/cni/bin",
            "CNI_ARGS": ";".join(f"{name}={value}" for name, value in names.items()),
        }
        node = ["nsenter", f"--mount={self._lab.mounts}", f"--net=/run/netns/{self._lab.netns}"]
        given = [*node, "env", *(f"{name}={value}" for name, value in environment.items())]
        # As long as the agent has not installed it, there is nothing to call.
        script = f"test -e {PLUGIN} -a -e {CONFIGURATION} && exec {PLUGIN} <{CONFIGURATION}"
        return _run([*given, "sh", "-c", script]).returncode == 0

    def _containerd(self, *words: str) -> str:
        control = [str(debian.program("ctr")), "--address", str(self._lab.containerd_socket), "--namespace", "k8s.io"]
        return _run([*control, *words]).stdout


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
