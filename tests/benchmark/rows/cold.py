# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh where there was none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import yaml

from lab.audit import Request, moment

from .. import peers
from ..failure import BenchmarkError
from ..results import Result, compared, in_turn
from ..stage import MANAGER, NAMESPACE, OURS, PROFILE, Stage, now

_STUCK = 20.0  # seconds after which a proxy whose first certificate request came too early asks again


def install(stage: Stage) -> list[Result]:
    """Until all is Ready; what was rendered before is forgotten."""
    stage.warm_up("control_plane", stage.control_plane)
    ours, theirs = in_turn(
        1 if stage.short else 10, lambda: _ours(stage), lambda: _fresh(stage, stage.istioctl_install)
    )
    name = "cold install until all is Ready"
    return [
        compared(name, ours, theirs, peer="istioctl install", goal=0.85),
        Result(f"{name}: the slowest of ours", max(ours), _STUCK),
    ]


def helm(stage: Stage) -> list[Result]:
    """The same by the charts of the release, one after the other as they need each other."""
    program = peers.program("helm")
    values = stage.folder / "values.yaml"
    values.write_text(yaml.safe_dump(_helm_values(stage)), encoding="utf-8")
    charts = {
        "istio-base": "base",
        "istiod": "istio-control/istio-discovery",
        "istio-ingressgateway": "gateways/istio-ingress",
        "istio-egressgateway": "gateways/istio-egress",
    }

    def theirs() -> float:
        return sum(
            stage.timed(
                [
                    *(program, "upgrade", "--install", name, stage.release.manifests / "charts" / chart, "--wait"),
                    *("--values", values, "--namespace", NAMESPACE, "--create-namespace"),
                    *("--kubeconfig", stage.kubeconfig),
                ]
            )
            for name, chart in charts.items()
        )

    ours, peer = in_turn(1 if stage.short else 5, lambda: _ours(stage), lambda: _fresh(stage, theirs))
    return [compared("cold install, against Helm", ours, peer, peer="helm upgrade --install --wait, 4 charts", goal=1)]


def apply(stage: Stage) -> list[Result]:
    """Until every object is applied, from the first request on: neither side renders then, and neither waits."""
    stage.clear()
    stage.install(wait=False)
    manifest = stage.manifest

    def ours() -> float:
        begun = now()
        stage.install(wait=False, changes=True)
        return _span(stage.requests_since(begun, user_agent=OURS))

    def theirs() -> float:
        begun = now()
        stage.kubectl_apply(manifest, "--field-manager", MANAGER)
        return _span(stage.requests_since(begun, user_agent="kubectl/"))

    figures = in_turn(1 if stage.short else 5, lambda: _fresh(stage, ours), lambda: _fresh(stage, theirs))
    name = "cold, until every object is applied"
    return [compared(name, *figures, peer="kubectl apply --server-side, from its first request too", goal=0.5)]


def _ours(stage: Stage) -> float:
    def run() -> float:
        shutil.rmtree(stage.cache / "rendered", ignore_errors=True)
        return stage.install(changes=True).seconds

    return _fresh(stage, run)


def _fresh(stage: Stage, measure: Callable[[], float]) -> float:
    stage.clear()
    return measure()


def _span(requests: list[Request]) -> float:
    """Seconds from the first request until the last object is applied; the lock is given back after that."""
    writes = [moment(one.answered) for one in requests if one.is_write and one.resource != "leases"]
    if not writes:
        raise BenchmarkError("The API server has seen no write where there should be some.")
    return (max(writes) - min(moment(request.time) for request in requests)).total_seconds()


def _helm_values(stage: Stage) -> dict[str, Any]:
    """The lab's overlay, as values of the charts."""
    values: dict[str, Any] = {"profile": PROFILE}
    for path in stage.variables["mesh_overlays"]:
        with open(path, encoding="utf-8") as file:
            spec = yaml.safe_load(file)["spec"]
        values |= {**spec.get("values", {}), "meshConfig": spec.get("meshConfig", {})}
    return values
