# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lab's API server is given once: DNS, storage and LoadBalancer addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import yaml

from . import golang
from .api import Api, until
from .network import DNS, Network
from .paths import SOURCES


def apply(api: Api, network: Network, *, basic: bool) -> None:
    """Bring the API server to what the lab needs, `basic` or whole; what is there already stays as it is."""
    names = ["dns"]
    if not basic:
        names += ["load-balancers", "storage"]
        for path in sorted(load_balancer_crds().glob("*.yaml")):
            api.apply(next(_documents(path.read_text())))
        until(
            lambda: api.get("/apis/metallb.io/v1beta1/ipaddresspools") is not None,
            "The API server did not serve MetalLB's kinds",
            limit=20,
            advice="look into kube-apiserver.log.",
        )
    words = {"dns": DNS, "node": network.node, "load_balancers": network.load_balancers}
    for name in names:
        text = (SOURCES / "manifests" / f"{name}.yaml").read_text()
        for document in _documents(Template(text).substitute(words)):
            api.apply(document)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    # The C reader where there is one: MetalLB's CRDs are long.
    yield from yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load_balancer_crds() -> Path:
    """The folder with the CRDs of MetalLB's controller."""
    return golang.module_copy(golang.METALLB, "go.universe.tf/metallb", "config/crd/bases")
