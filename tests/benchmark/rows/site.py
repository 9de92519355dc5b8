# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people run: the whole of a site, against the same work by hand."""

from __future__ import annotations

import resource
from collections.abc import Callable
from statistics import median
from typing import Any

from ..results import Result, compared, in_turn
from ..stage import PROFILE, Stage

_NAMESPACE = "bench-site"
_PEER = "istioctl install, kubectl apply, kubectl label"


def site(stage: Stage) -> list[Result]:
    """A mesh and an application with nothing to change, then the same from nothing."""
    variables = _variables(stage)
    ours, theirs = _Measured(lambda: _ours(stage, variables)), _Measured(lambda: _by_hand(stage))
    rounds = 2 if stage.short else 7
    # Each takes over what the other has applied before it is measured.
    mine, peers = in_turn(rounds, ours.twice, theirs.twice)
    fresh = in_turn(1 if stage.short else 5, lambda: _fresh(stage, ours), lambda: _fresh(stage, theirs))
    name = "site, nothing to change"
    return [
        compared(name, mine, peers, peer=_PEER, goal=1.5),
        Result(f"{name}: CPU", median(ours.processor[:rounds]), 3, _PEER, median(theirs.processor[:rounds])),
        compared("site, from nothing until all is Ready", *fresh, peer=_PEER, goal=0.85),
    ]


class _Measured:
    """Something to measure, with the processor time that its programs have taken."""

    def __init__(self, run: Callable[[], float]) -> None:
        self._run = run
        self.processor: list[float] = []

    def twice(self) -> float:
        """Run it, and measure it when it is run again."""
        self._run()
        return self()

    def __call__(self) -> float:
        before = _processor_time()
        seconds = self._run()
        self.processor.append(_processor_time() - before)
        return seconds


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _variables(stage: Stage) -> dict[str, Any]:
    return {
        **stage.variables,
        "mesh_version": stage.release.version,
        "mesh_profile": PROFILE,
        "mesh_release_source": [str(stage.release.root)],
        "mesh_inject_namespaces": [_NAMESPACE],
        "mesh_create_namespaces": True,
        "mesh_applications": [
            {"name": "helloworld", "namespace": _NAMESPACE, "sample": "helloworld", "gateway": False}
        ],
    }


def _ours(stage: Stage, variables: dict[str, Any]) -> float:
    return stage.ansible.playbook("meshops.istio.site", variables).seconds


def _by_hand(stage: Stage) -> float:
    namespace = stage.folder / "namespace.yaml"
    namespace.write_text(
        f'{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{_NAMESPACE}"}}}}', encoding="utf-8"
    )
    manifest = stage.release.samples / "helloworld" / "helloworld.yaml"
    seconds = stage.istioctl_install() + stage.kubectl_apply(namespace)
    seconds += stage.kubectl("label", "namespace", _NAMESPACE, "istio-injection=enabled", "--overwrite")
    seconds += stage.kubectl_apply(manifest, "--namespace", _NAMESPACE)
    wait = ["wait", "--for=condition=Available", "deployment", "--all", "--namespace", _NAMESPACE, "--timeout=180s"]
    return seconds + stage.kubectl(*wait)


def _fresh(stage: Stage, measure: Callable[[], float]) -> float:
    stage.kubectl("delete", "namespace", _NAMESPACE, "--ignore-not-found", "--wait")
    stage.clear()
    return measure()
