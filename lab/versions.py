# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every version that the lab is made of, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ISTIO = "1.31.0"  # of a lab that nobody asks for another one
ETCD = "3.6.5"  # the series that Kubernetes 1.34 and newer are built and tested with
COREDNS = "1.12.0"
METALLB = "0.15.2"  # 0.15.3 and 0.16 need a module that no proxy serves
LOCAL_PATH_PROVISIONER = "0.0.30"
KWOK = "0.8.0"
HELM = "3.22.0"  # a peer that tests and the benchmark compare with; no lab runs it
MINIKUBE = "1.36.0"  # for the tests of the provider minikube; no lab runs it
PAUSE = "3.10"
CONTAINERD = "2.2.9"  # built only where the operating system's is older than CONTAINERD_OLDEST
CONTAINERD_OLDEST = (1, 6)  # the first with version 1 of the API of runtimes; Kubernetes 1.37 runs on it
PROMETHEUS = "3.8.1"  # the version of the addon of Istio 1.29; it serves as that of the other releases
PROMETHEUS_MODULE = "0.308.1"  # what its Go module calls that version
GO = "1.26.6"  # fetched only where PATH has no Go of at least GO_OLDEST
GO_OLDEST = (1, 26)  # Istio 1.31 and Kubernetes 1.36 need it


@dataclass(frozen=True)
class IstioRelease:
    """A release of Istio, and what a lab needs to build and to run it.

    module: Istio tags no versions of its Go module; a release is a commit, known to the module proxy by this.
    checksum, mod_checksum: of the module and of its go.mod, as a go.sum has them.
    envoy: the series that the release builds its proxy on.
    prometheus: the version of its addon.
    kubernetes: the version that a lab of this release runs by default.
    newest: the version that `make versions` runs it on, where that is another one.
    hub: where the charts of the release take images from.
    replaced: required modules (name: version) that no proxy serves in the required version.
    built_with: a version of Kubernetes of the minor version of its Kubernetes libraries; both are built in one workspace,
    so that what they share is compiled once. Releases of other minor versions would mix these libraries.
    """

    version: str
    module: str
    checksum: str
    mod_checksum: str
    envoy: str
    prometheus: str
    kubernetes: str
    hub: str = "docker.io/istio"
    replaced: Mapping[str, str] = field(default_factory=dict)
    built_with: str = ""
    newest: str = ""


ISTIO_RELEASES = {
    release.version: release
    for release in (
        IstioRelease(
            "1.28.3",
            module="v0.0.0-20260114100434-4c1f845d839e",  # in no checksum database
            checksum="h1:0lQ356FUPlFFnxe2w30195zOvwQPzCepZra5MY18tIM=",
            mod_checksum="h1:qwRUYVbjx8/vp9kAv9D/9IGCM+kUbcnfrF93nimXhuk=",
            envoy="1.36.4",
            prometheus="3.5.0",
            kubernetes="1.34.4",
            replaced={"github.com/envoyproxy/go-control-plane": "v0.14.0"},
            built_with="1.34.4",
        ),
        IstioRelease(
            "1.29.1",
            module="v0.0.0-20260306174214-6991a379e1fc",
            checksum="h1:/cuKTtCeZxShA9tOz6N0QwNraftSlel9bqOvMNune94=",
            mod_checksum="h1:aJQk1a5NwrEKcSa1hWibY5njycOhsJImlYYAyqipVY0=",
            envoy="1.37.0",
            prometheus="3.8.1",
            kubernetes="1.35.4",
            built_with="1.35.4",
        ),
        IstioRelease(
            "1.30.4",
            module="v0.0.0-20260826214018-9739e10eb9d7",
            checksum="h1:9IbnPSiY/JyfYWT90jSMeLY4h0TeEcApgjD/9GsrIfA=",
            mod_checksum="h1:prY8Lm5SIM8P18V/KULmgXrI45yBZGMrmLDrn5b8OU4=",
            envoy="1.38.3",
            prometheus="3.10.0",
            kubernetes="1.35.4",
            hub="registry.istio.io/release",
            replaced={
                "istio.io/api": "v1.30.8",
                "istio.io/client-go": "v1.30.8",
                "github.com/envoyproxy/go-control-plane/envoy": "v1.37.1-0.20260713214202-ca8ce173c36f",
                "github.com/envoyproxy/go-control-plane/contrib": "v1.36.1-0.20260713214202-ca8ce173c36f",
                "github.com/agentgateway/agentgateway/api": "v0.0.0-20260501213430-773586679f1c",
            },
        ),
        IstioRelease(
            "1.31.0",
            module="v0.0.0-20260827124520-eed52ebb66ad",
            checksum="h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=",
            mod_checksum="h1:krub19xO5up6m9fUbvLGBgcAlHN4QuhVCGly52A4i4I=",
            envoy="1.39.3",
            prometheus="3.10.0",
            kubernetes="1.36.3",
            built_with="1.36.3",
            newest="1.37.2",
        ),
    )
}

KUBERNETES = ISTIO_RELEASES[ISTIO].kubernetes
KUBERNETES_VERSIONS = ("1.34.4", "1.35.4", "1.36.3", "1.37.2")
