# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every version that the lab is made of, in one place."""

from __future__ import annotations

ISTIO = "1.29.1"
KUBERNETES = "1.35.4"  # Istio 1.29 supports 1.31 to 1.35, and 1.36 no longer runs on Debian's containerd 1.x
ETCD = "3.6.5"  # the series that Kubernetes 1.35 is built and tested with
COREDNS = "1.12.0"
METALLB = "0.15.2"  # 0.15.3 and 0.16 need a module that no proxy serves
LOCAL_PATH_PROVISIONER = "0.0.30"
KWOK = "0.8.0"
HELM = "3.22.0"  # a peer that tests and the benchmark compare with; no lab runs it
MINIKUBE = "1.36.0"  # for the tests of the provider minikube; no lab runs it
PAUSE = "3.10"
PROMETHEUS = "3.8.1"  # the version of the addon of Istio 1.29
PROMETHEUS_MODULE = "0.308.1"  # what its Go module calls that version
ENVOY = "1.37.0"  # the series that Istio 1.29 builds its proxy on
GO = "1.26.6"  # fetched only where PATH has no Go of at least GO_OLDEST
GO_OLDEST = (1, 25)

# Istio tags no Go module versions: a release is a commit, known to the module proxy by its pseudo-version.
ISTIO_MODULES = {
    "1.29.1": "v0.0.0-20260306174214-6991a379e1fc",
}
