# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that a lab runs, and where each can come from."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from . import golang, versions
from .download import Official
from .golang import Workspace

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class Binary:
    """One program: `workspace` and `package` build it from Go modules, `official` is where it is published."""

    name: str
    version: str
    workspace: Workspace
    package: str
    official: Official | None = None


def _of_kubernetes(name: str, version: str) -> Binary:
    path = f"v{version}/bin/linux/{ARCHITECTURE}/{name}"
    return Binary(
        name,
        version,
        golang.kubernetes(version),
        f"k8s.io/kubernetes/cmd/{name}",
        Official("kubernetes", path, f"{path}.sha256"),
    )


def kubernetes(version: str) -> dict[str, Binary]:
    """The programs of one version of Kubernetes."""
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
    return {name: _of_kubernetes(name, version) for name in names}


def istio(version: str) -> dict[str, Binary]:
    """The programs of one release of Istio."""
    packages = {
        "istioctl": "istioctl/cmd/istioctl",
        "pilot-discovery": "pilot/cmd/pilot-discovery",
        "pilot-agent": "pilot/cmd/pilot-agent",
        "install-cni": "cni/cmd/install-cni",
        "istio-cni": "cni/cmd/istio-cni",
    }
    workspace = golang.istio(version)
    return {
        name: Binary(name, version, workspace, f"{golang.ISTIO_MODULE}/{package}") for name, package in packages.items()
    }


_ETCD = f"etcd-v{versions.ETCD}-linux-{ARCHITECTURE}"
_PROMETHEUS = f"prometheus-{versions.PROMETHEUS}.linux-{ARCHITECTURE}"
_MINIKUBE = f"v{versions.MINIKUBE}/minikube-linux-{ARCHITECTURE}"
_COREDNS = f"v{versions.COREDNS}/coredns_{versions.COREDNS}_linux_{ARCHITECTURE}.tgz"

BINARIES = (
    kubernetes(versions.KUBERNETES)
    | istio(versions.ISTIO)
    | {
        binary.name: binary
        for binary in (
            Binary(
                "etcd",
                versions.ETCD,
                golang.ETCD,
                "go.etcd.io/etcd/server/v3",
                Official(
                    "etcd", f"v{versions.ETCD}/{_ETCD}.tar.gz", f"v{versions.ETCD}/SHA256SUMS", member=f"{_ETCD}/etcd"
                ),
            ),
            Binary(
                "coredns",
                versions.COREDNS,
                golang.COREDNS,
                "lab/coredns",
                Official("coredns", _COREDNS, f"{_COREDNS}.sha256", member="coredns"),
            ),
            Binary("metallb-controller", versions.METALLB, golang.METALLB, "go.universe.tf/metallb/controller"),
            Binary(
                "local-path-provisioner",
                versions.LOCAL_PATH_PROVISIONER,
                golang.LOCAL_PATH,
                "github.com/rancher/local-path-provisioner",
            ),
            Binary(
                "prometheus",
                versions.PROMETHEUS,
                golang.PROMETHEUS,
                f"{golang.PROMETHEUS_MODULE}/cmd/prometheus",
                Official(
                    "prometheus",
                    f"v{versions.PROMETHEUS}/{_PROMETHEUS}.tar.gz",
                    f"v{versions.PROMETHEUS}/sha256sums.txt",
                    member=f"{_PROMETHEUS}/prometheus",
                ),
            ),
            *(
                Binary(name, versions.CONTAINERD, golang.CONTAINERD, f"{golang.CONTAINERD_MODULE}/cmd/{name}")
                for name in ("containerd", "containerd-shim-runc-v2", "ctr")
            ),
            Binary("kwok", versions.KWOK, golang.KWOK, "sigs.k8s.io/kwok/cmd/kwok"),
            Binary("helm", versions.HELM, golang.HELM, "helm.sh/helm/v3/cmd/helm"),
            Binary(
                "minikube",
                versions.MINIKUBE,
                golang.MINIKUBE,
                "k8s.io/minikube/cmd/minikube",
                Official("minikube", _MINIKUBE, f"{_MINIKUBE}.sha256"),
            ),
        )
    }
)

# What a simulated lab runs: a control plane, and nodes that are only played.
SIMULATED = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
)

# What plays nodes beside a real one.
PLAYER = ("kwok",)

# What every node runs, and kubectl for whoever works on it.
NODE = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "coredns",
)

# What gives addresses to services of type LoadBalancer, and volumes to claims.
SERVICES = ("metallb-controller", "local-path-provisioner")

# What the images of every mesh hold.
CONTROL_AND_DATA_PLANE = ("pilot-discovery", "pilot-agent")

# What Istio's CNI is, which puts itself into the path of pods in place of their own init container.
CNI = ("install-cni", "istio-cni")
