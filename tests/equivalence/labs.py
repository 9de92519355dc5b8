# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated clusters for one comparison, gone when it ends."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind

from lab import node, versions
from lab.files import locked
from lab.paths import Lab

ISTIO = versions.ISTIO


@contextlib.contextmanager
def simulated(*names: str, istio: str = "", kubernetes: str = "") -> Iterator[list[dict[str, Any]]]:
    """Labs with these names, as their variables, gone in the end. Another run on this machine is waited for.

    istio, kubernetes: other versions than the lab's default ones.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    labs = [Lab(name) for name in names]
    with locked(labs[0].lock.with_name(f"{names[0]}-run"), waiting_for="comparing"):
        try:
            # What a killed run has left would be told from what is installed now by nobody.
            _of_all(labs, node.down)
            _of_all(labs, lambda lab: _up(lab, istio, kubernetes))
            yield [yaml.safe_load(lab.vars_file.read_text(encoding="utf-8")) for lab in labs]
        finally:
            _of_all(labs, node.down)


def _up(lab: Lab, istio: str, kubernetes: str) -> None:
    node.up(lab, {}, istio=istio, kubernetes=kubernetes, simulated=True)
    # Played nodes lack the label that real ones give themselves.
    cluster = Cluster.connect({"kubeconfig": str(lab.kubeconfig)}, user_agent="meshops.istio/equivalence")
    labels = {"metadata": {"labels": {"kubernetes.io/os": "linux"}}}
    cluster.merge_patch(Kind("v1", "Node"), lab.node, "", labels, manager="equivalence")


def _of_all(labs: Sequence[Lab], act: Callable[[Lab], None]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(act, labs))


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
