# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of a node: their configuration files and command lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from . import golang, pull_proxy
from .debian import cni_plugins
from .files import write
from .network import DNS, PODS, SERVICES, Network
from .paths import SOURCES, Lab
from .processes import Process
from .runtime import SHIM
from .versions import PAUSE

AUDIT_LOG = "audit.log"
SIMULATED_NODE = "kwok.x-k8s.io/node=fake"
PLAYED = "lab.meshops.istio/played"  # labels played nodes, and taints those beside a real one
VOLUME_IMAGE = "lab.meshops.istio/volume:1"
_QPS, _BURST = 500, 1000  # the defaults (20 and 30) would make a rolling restart of a few hundred pods crawl


class Components:
    """Builds each process of one lab; `binaries` maps program names to paths."""

    def __init__(self, lab: Lab, network: Network, binaries: Mapping[str, Path]) -> None:
        self._lab, self._network, self._binaries = lab, network, binaries

    def etcd(self) -> Process:
        client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        return self._process(
            "etcd",
            f"--name={self._lab.node}",
            f"--data-dir={self._lab.state / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={self._lab.node}={peer}",
            "--log-level=warn",
        )

    def apiserver(self) -> Process:
        pki, policy = self._lab.pki, SOURCES / "audit-policy.yaml"
        return self._process(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={self._network.node}",
            f"--bind-address={self._network.node}",
            "--secure-port=6443",
            f"--tls-cert-file={pki / 'server.crt'}",
            f"--tls-private-key-file={pki / 'server.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--service-cluster-ip-range={SERVICES}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki / 'service-accounts.crt'}",
            f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
            f"--kubelet-client-certificate={pki / 'apiserver.crt'}",
            f"--kubelet-client-key={pki / 'apiserver.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            # Else logs, exec and port-forward would look up the node's name in the machine's DNS.
            "--kubelet-preferred-address-types=InternalIP",
            "--allow-privileged",
            "--profiling=false",
            f"--audit-policy-file={self._file('audit-policy.yaml', policy.read_text())}",
            f"--audit-log-path={self._lab.logs / AUDIT_LOG}",
            "--audit-log-maxsize=200",
            "--audit-log-maxbackup=3",
            configuration=["audit-policy.yaml"],
        )

    def controller_manager(self) -> Process:
        pki = self._lab.pki
        return self._process(
            "kube-controller-manager",
            f"--kubeconfig={pki / 'controller-manager.kubeconfig'}",
            f"--service-account-private-key-file={pki / 'service-accounts.key'}",
            f"--root-ca-file={pki / 'ca.crt'}",
            "--use-service-account-credentials",
            "--allocate-node-cidrs",
            f"--cluster-cidr={PODS.supernet(new_prefix=16)}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            "--leader-elect=false",
            f"--flex-volume-plugin-dir={self._lab.state / 'volume-plugins'}",
            f"--kube-api-qps={_QPS}",
            f"--kube-api-burst={_BURST}",
            "--profiling=false",
        )

    def scheduler(self) -> Process:
        configuration = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {
                "kubeconfig": str(self._lab.pki / "scheduler.kubeconfig"),
                "qps": _QPS,
                "burst": _BURST,
            },
        }
        return self._process(
            "kube-scheduler",
            f"--config={self._yaml('scheduler.yaml', configuration)}",
            configuration=["scheduler.yaml"],
        )

    def pull_proxy(self) -> Process:
        arguments = [f"--listen={self._network.host}", f"--client={self._network.node}"]
        upstream = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        return Process(
            self._lab,
            "pull-proxy",
            [sys.executable, "-m", "lab.pull_proxy", *arguments, f"--upstream={upstream or ''}"],
            {"PYTHONPATH": str(SOURCES.parent)},
            [SOURCES / "pull_proxy.py"],
            outside=True,
        )

    def containerd(self, *, pulls: bool) -> Process:
        proxy = f"http://{self._network.host}:{pull_proxy.PORT}"
        state = self._lab.state / "containerd"
        cni = self._lab.state / "cni"
        self._file("cni/10-lab.conflist", json.dumps(self._pod_network(), indent=1))
        self._file("containerd.toml", _CONTAINERD.format(
            root=state,
            state=self._lab.runtime / "containerd",
            socket=self._lab.containerd_socket,
                        snapshotter=_snapshotter(self._lab.state),
            pause=PAUSE,
            shim=f'runtime_path = "{self._binaries[SHIM]}"' if SHIM in self._binaries else "",
            plugins=cni_plugins(),
            cni=cni,
        ))  # fmt: skip
        return self._process(
            "containerd",
            "--config",
            self._lab.state / "containerd.toml",
            environment={"HTTPS_PROXY": proxy} if pulls else {},
            configuration=["containerd.toml", "cni/10-lab.conflist"],
        )

    def kubelet(self) -> Process:
        pki, state = self._lab.pki, self._lab.state
        configuration = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": str(self._network.node),
            "authentication": {
                "x509": {"clientCAFile": str(pki / "ca.crt")},
                "webhook": {"enabled": True},
                "anonymous": {"enabled": False},
            },
            "tlsCertFile": str(pki / "server.crt"),
            "tlsPrivateKeyFile": str(pki / "server.key"),
            "containerRuntimeEndpoint": f"unix://{self._lab.containerd_socket}",
            "clusterDNS": [str(DNS)],
            "clusterDomain": "cluster.local",
            "resolvConf": "",  # the machine's own resolver is of no use inside the lab
            # The machine may have control groups of version 1, no systemd, swap, and a disk that is nearly full.
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self._lab.cgroup}",
            "failSwapOn": False,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,  # an image that was packed here cannot be pulled again
            "podLogsDir": str(state / "pod-logs"),
            "volumePluginDir": str(state / "volume-plugins"),
            "serializeImagePulls": False,
            "maxPods": 250,
            "kubeAPIQPS": _QPS,
            "kubeAPIBurst": _BURST,
        }
        return self._process(
            "kubelet",
            f"--config={self._yaml('kubelet.yaml', configuration)}",
            f"--kubeconfig={pki / 'kubelet.kubeconfig'}",
            f"--hostname-override={self._lab.node}",
            f"--node-ip={self._network.node}",
            configuration=["kubelet.yaml"],
        )

    def proxy(self) -> Process:
        configuration = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self._lab.pki / "proxy.kubeconfig")},
            "clusterCIDR": str(PODS.supernet(new_prefix=16)),
            "hostnameOverride": self._lab.node,
            "conntrack": {"maxPerCore": 0, "min": 0},  # the machine's limits are not the lab's to change
        }
        return self._process(
            "kube-proxy", f"--config={self._yaml('kube-proxy.yaml', configuration)}", configuration=["kube-proxy.yaml"]
        )

    def coredns(self) -> Process:
        self._file(
            "Corefile",
            _COREFILE.format(
                node=self._network.node, kubeconfig=self._lab.pki / "addons.kubeconfig", name=self._lab.node
            ),
        )
        return self._process("coredns", "-conf", self._lab.state / "Corefile", configuration=["Corefile"])

    def load_balancers(self) -> Process:
        return self._process(
            "metallb-controller",
            f"--kubeconfig={self._lab.pki / 'addons.kubeconfig'}",
            "--namespace=metallb-system",
            "--webhook-mode=disabled",
            "--disable-cert-rotation",
            environment={"METALLB_POD_NAME": self._lab.node},
        )

    def volumes(self) -> Process:
        everywhere = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(self._lab.state / "volumes")]}
        program = "/volume"
        settings = {"nodePathMap": [everywhere], "setupCommand": program, "teardownCommand": program}
        helper = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "helper-pod"},
            "spec": {
                "priorityClassName": "system-node-critical",
                "containers": [{"name": "helper-pod", "image": VOLUME_IMAGE, "imagePullPolicy": "IfNotPresent"}],
            },
        }
        return self._process(
            "local-path-provisioner",
            "start",
            f"--config={self._file('volumes.json', json.dumps(settings, indent=1))}",
            f"--helper-pod-file={self._yaml('volume-helper.yaml', helper)}",
            f"--helper-image={VOLUME_IMAGE}",
            f"--kubeconfig={self._lab.pki / 'addons.kubeconfig'}",
            "--namespace=local-path-storage",
            "--service-account-name=local-path-provisioner-service-account",
            configuration=["volumes.json", "volume-helper.yaml"],
        )

    def simulator(self) -> Process:
        """kwok plays the nodes that carry its annotation, and their pods: a pod is ready as soon as it is scheduled."""
        return self._process(
            "kwok",
            f"--kubeconfig={self._lab.pki / 'addons.kubeconfig'}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={SIMULATED_NODE}",
            "--node-lease-duration-seconds=40",  # a node that renews no lease is taken for lost after a minute
            f"--config={self._file('stages.yaml', stages())}",
            configuration=["stages.yaml"],
        )

    def _pod_network(self) -> dict[str, object]:
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": str(PODS)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
        ports = {"type": "portmap", "capabilities": {"portMappings": True}}
        return {"cniVersion": "0.4.0", "name": self._lab.netns, "plugins": [{**bridge, "ipam": addresses}, ports]}

    def _process(
        self,
        name: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        configuration: list[str] | None = None,
    ) -> Process:
        files = [self._lab.state / file for file in configuration or []]
        return Process(self._lab, name, [self._binaries[name], *arguments], environment or {}, files)

    def _yaml(self, name: str, document: Mapping[str, object]) -> Path:
        return self._file(name, yaml.safe_dump(document, sort_keys=False))

    def _file(self, name: str, text: str) -> Path:
        path = self._lab.state / name
        write(path, text)
        return path


def stages() -> str:
    """How kwok's nodes and pods go through life, as its own module has it."""
    folders = ("node/fast", "node/heartbeat-with-lease", "pod/fast")
    copies = [golang.module_copy(golang.KWOK, "sigs.k8s.io/kwok", f"kustomize/stage/{folder}") for folder in folders]
    files = [file for copy in copies for file in sorted(copy.glob("*.yaml")) if file.name != "kustomization.yaml"]
    return "\n---\n".join(file.read_text() for file in files)


_COREFILE = """\
.:53 {{
    bind {node}
    kubernetes cluster.local {{
        kubeconfig {kubeconfig} {name}
    }}
    cache 5
    errors
}}
"""

_CONTAINERD = """\
version = 2
root = "{root}"
state = "{state}"
# The first one keeps a folder outside the lab, the others are for file systems that it does not use.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:{pause}"
  # In a container or a micro-VM runc may not lower oom_score_adj, and then no pod starts.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      {shim}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{cni}"
"""


def _snapshotter(folder: Path) -> str:
    """overlayfs, except where the folder itself lies on an overlay, as in a container: those cannot be stacked."""
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, file_system, *_ = line.split()
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, file_system
    return "native" if kind == "overlay" else "overlayfs"
