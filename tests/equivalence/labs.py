# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two simulated clusters for one comparison, gone when it ends."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import Kind

from lab import node, versions
from lab.files import locked
from lab.paths import Lab

_THEIRS, _OURS = Lab("equivalence-theirs"), Lab("equivalence-ours")
ISTIO = versions.ISTIO


@contextlib.contextmanager
def two_labs() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Two labs as their variables: one for istioctl, one for us. Another run on this machine is waited for."""
    signal.signal(signal.SIGTERM, _interrupt)
    with locked(_OURS.lock.with_name("equivalence"), waiting_for="comparing"):
        try:
            # What a killed run has left would be told from what is installed now by nobody.
            _of_both(node.down)
            _of_both(_up)
            yield _variables(_THEIRS), _variables(_OURS)
        finally:
            _of_both(node.down)


def _up(lab: Lab) -> None:
    node.up(lab, {}, simulated=True)
    # Played nodes lack the label that real ones give themselves.
    cluster = Cluster.connect({"kubeconfig": str(lab.kubeconfig)}, user_agent="meshops.istio/equivalence")
    labels = {"metadata": {"labels": {"kubernetes.io/os": "linux"}}}
    cluster.merge_patch(Kind("v1", "Node"), lab.node, "", labels, manager="equivalence")


def _of_both(act: Any) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(act, (_THEIRS, _OURS)))


def _variables(lab: Lab) -> dict[str, Any]:
    variables: dict[str, Any] = yaml.safe_load(lab.vars_file.read_text(encoding="utf-8"))
    return variables


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt
