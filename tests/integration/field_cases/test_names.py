# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and lists from surveys: what means something is taken, and what does not is refused before the first write."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook
from ansible_collections.meshops.istio.tests.support.steps import Seen

NAMESPACE = Kind("v1", "Namespace")
OVERLAY = (
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfig: {accessLogFile: /dev/stdout}\n"
)


@pytest.fixture
def names(cluster: Cluster) -> Iterator[list[str]]:
    """Names of two namespaces that a run creates."""
    made = [f"it-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    yield made
    for name in made:
        with contextlib.suppress(Exception):
            cluster.delete(NAMESPACE, name)


@pytest.fixture
def survey(lab: Lab) -> dict[str, Any]:
    return {**lab.variables, "mesh_profile": "minimal", "mesh_create_namespaces": "true"}


@pytest.mark.step("names 24a", "a list of namespaces by commas and lines")
@pytest.mark.parametrize("text", ["{},\n{}", "{}, {},\n", "- {}\n- {}\n"])
def test_a_list_is_what_it_looks_like(
    text: str, names: list[str], survey: dict[str, Any], cluster: Cluster, tmp_path: Path, seen: Seen
) -> None:
    given = {**survey, "mesh_inject_namespaces": text.format(*names)}
    run = run_playbook("meshops.istio.site", "--tags", "injection", hosts={"one": given}, folder=tmp_path)
    assert run.returncode == 0, run.text
    labels = [(cluster.get(NAMESPACE, name) or {"metadata": {}})["metadata"].get("labels", {}) for name in names]
    assert [one.get("istio-injection") for one in labels] == ["enabled", "enabled"]
    seen("two namespaces")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "space": ({"mesh_inject_namespaces": "shop legacy"}, "'shop legacy'"),
    "capital": ({"mesh_inject_namespaces": "Shop"}, "'Shop'"),
    "long": ({"mesh_inject_namespaces": "a" * 64}, "at most 63"),
    "semicolon": ({"mesh_inject_namespaces": "shop; legacy"}, "'shop; legacy'"),
    "application": ({"mesh_applications": [{"name": "My Shop", "definition": []}]}, "'My Shop'"),
    "revision": ({"mesh_revision": "1.29.1"}, "1-29-1"),
    "host": ({"mesh_addons": "zipkin", "mesh_addons_host": "http://mesh.test"}, "without scheme"),
    "quantity": ({"mesh_addons": "prometheus", "mesh_addons_storage": "prometheus=ten"}, "10Gi"),
    "overlay": ({"mesh_overlays": f"{OVERLAY}  values: [\n"}, "in YAML or JSON"),
    "map": ({"mesh_values": "pilot"}, "key=value"),
}


@pytest.mark.step("names 24b", "names, hosts, amounts and texts that cannot be meant")
def test_what_cannot_be_is_refused_before_the_first_write(
    survey: dict[str, Any], lab: Lab, tmp_path: Path, seen: Seen
) -> None:
    begun = now()
    hosts = {name: {**survey, **variables} for name, (variables, _words) in WRONG.items()}
    run = run_playbook("meshops.istio.site", hosts=hosts, folder=tmp_path)
    assert set(run.failures) == set(WRONG)
    assert {name: run.failures[name] for name, (_, words) in WRONG.items() if words not in run.failures[name]} == {}
    assert lab.writes_since(begun) == 0
    seen(f"{len(WRONG)} of {len(WRONG)} refused, no write")


@pytest.mark.step("names 24c", "an overlay as a survey's text")
def test_an_overlay_may_be_text(survey: dict[str, Any], tmp_path: Path, seen: Seen) -> None:
    hosts = {"text": {**survey, "mesh_overlays": OVERLAY}, "item": {**survey, "mesh_overlays": [OVERLAY]}}
    run = run_playbook("meshops.istio.plan", "--diff", hosts=hosts, folder=tmp_path)
    assert run.returncode == 0, run.text
    assert run.text.count("accessLogFile: /dev/stdout") >= 2
    seen("in the plan, as text and as an item of a list")
