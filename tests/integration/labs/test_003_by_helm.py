# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh by Helm's charts, as the text installs it too: it is verified as one of ours is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.steps import Seen

from lab import sources

SYSTEM, OUTSIDE = "istio-system", "istio-ingress"
CHARTS = {"istio-base": "base", "istiod": "istio-control/istio-discovery", "ingress": "gateway"}
# As Istio's own pages have it: a gateway apart from the control plane.
NAMESPACES = {"istio-base": SYSTEM, "istiod": SYSTEM, "ingress": OUTSIDE}
# The chart's image is `auto` until the pod is injected, which Kubernetes takes for one to pull always.
GATEWAY = {"name": "istio-ingressgateway", "service": {"type": "NodePort"}, "imagePullPolicy": "IfNotPresent"}


@pytest.fixture(scope="module")
def installed(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    """What Helm leaves of the release's charts, with the lab's overlay as their values."""
    mesh = Seed(lab, "verify", SYSTEM)
    if mesh.kubectl("get", "deployments", "-l", "app=istiod", "-o", "name"):
        pytest.fail("The lab has a mesh already: name another one with LAB.")
    values = tmp_path_factory.mktemp("helm") / "values.yaml"
    charts = Path(lab.sources[0]) / f"istio-{lab.version}" / "manifests" / "charts"
    try:
        for name, chart in CHARTS.items():
            values.write_text(yaml.safe_dump(GATEWAY if name == "ingress" else of_the_lab(lab)), encoding="utf-8")
            given = ("--values", str(values), "--create-namespace", "--wait")
            helm(lab, "upgrade", "--install", name, str(charts / chart), "--namespace", NAMESPACES[name], *given)
        yield mesh
    finally:
        for name in reversed(CHARTS):
            helm(lab, "uninstall", name, "--namespace", NAMESPACES[name], "--ignore-not-found", "--wait")
        mesh.istioctl("uninstall", "--purge", "-y")
        mesh.kubectl("delete", "namespace", SYSTEM, OUTSIDE, "--ignore-not-found", "--wait=true")


def of_the_lab(lab: Lab) -> dict[str, Any]:
    """The lab's overlays, as values of the charts."""
    values: dict[str, Any] = {}
    for path in lab.variables["mesh_overlays"]:
        spec = yaml.safe_load(Path(path).read_text(encoding="utf-8"))["spec"]
        values |= {**spec.get("values", {}), "meshConfig": spec.get("meshConfig", {})}
    return values


def helm(lab: Lab, *arguments: str) -> None:
    program = str(sources.find(["helm"])["helm"])
    command = [program, *arguments, "--kubeconfig", lab.kubeconfig]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.step("003.2", "by Helm's charts: the mesh holds, and verifying it writes nothing")
def test_verified(installed: Seed, seen: Seen) -> None:
    since = now()
    played = installed.play()
    writes = installed.lab.writes_since(since)
    pods = {pod.labels["app"]: pod.ready for space in (SYSTEM, OUTSIDE) for pod in installed.pods(namespace=space)}
    assert (pods, writes) == ({"istiod": "1/1", "istio-ingressgateway": "1/1"}, 0)
    assert "FAILED" not in played.text
    seen(f"{', '.join(CHARTS)}; {played.text.count('check          ok')} checks ok, {writes} writes")
