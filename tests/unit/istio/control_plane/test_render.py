# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rendering is cached by all of its inputs, and istioctl's refusals become sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.overlays import Overlay
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.render import Renderer
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, MeshError
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

HEAD = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
OVERLAY = Overlay.read(f"{HEAD}spec:\n  profil: demo\n", "mesh.yaml")


def test_the_same_inputs_are_rendered_once(made: MadeRelease) -> None:
    made.renders(make("ConfigMap", "istio", "istio-system"))
    renderer = Renderer(made.release)
    first = renderer.render([OVERLAY], ["hub=a"])
    assert renderer.render([OVERLAY], ["hub=a"]) == first
    assert len(made.calls) == 1
    renderer.render([OVERLAY], ["hub=b"])
    renderer.render([], ["hub=a"])
    assert len(made.calls) == 3


def test_another_istioctl_renders_anew(made: MadeRelease) -> None:
    renderer = Renderer(made.release)
    renderer.render([])
    made.write("bin/istioctl", made.release.istioctl.read_text() + "\n# newer\n")
    renderer.render([])
    assert len(made.calls) == 2


def test_a_damaged_entry_is_rendered_again(made: MadeRelease, own_cache: Path) -> None:
    renderer = Renderer(made.release)
    renderer.render([])
    [entry] = (own_cache / "rendered").glob("*.json")
    entry.write_text("{")
    assert renderer.render([]) == []
    assert len(made.calls) == 2


def test_an_entry_that_others_could_have_written_is_rendered_again(made: MadeRelease, own_cache: Path) -> None:
    renderer = Renderer(made.release)
    renderer.render([])
    [entry] = (own_cache / "rendered").glob("*.json")
    entry.write_text('[{"kind": "ClusterRoleBinding"}]')
    entry.chmod(0o666)
    assert renderer.render([]) == []
    assert len(made.calls) == 2


@pytest.mark.parametrize(
    ("overlay", "sets"),
    [(Overlay.read(f"{HEAD}spec: {{values: {{pilot: {{env: {{DB_PASSWORD: swordfish}}}}}}}}", "mesh.yaml"), []),
     (OVERLAY, ["values.pilot.env.API_TOKEN=swordfish"])],
)  # fmt: skip
def test_secrets_are_in_no_cache(overlay: Overlay, sets: list[str], made: MadeRelease, own_cache: Path) -> None:
    Renderer(made.release).render([overlay], sets)
    assert list((own_cache / "rendered").glob("*.json")) == []


def test_another_chart_takes_the_place_of_base(made: MadeRelease) -> None:
    made.write("manifests/charts/default/templates/mutatingwebhook.yaml", "")
    made.renders(make("ConfigMap", "of-a-tag", "istio-system"), tags=True)
    assert [obj["metadata"]["name"] for obj in Renderer(made.release).render([], base_chart="default")] == ["of-a-tag"]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            'Error: could not unmarshal: json: unknown field "profil"',
            "mesh.yaml, line 4 & unknown field 'profil' & Istio 1.29.1",
        ),
        (
            'Error: could not unmarshal: error unmarshaling JSON: while decoding JSON: unknown field "foo" in istio.operator.v1alpha1.PilotConfig',
            "entry 'values.pilot.foo=1' of set & unknown field 'foo' & Istio 1.29.1",
        ),
        (
            "Error: could not unmarshal: json: cannot unmarshal array into Go struct field IstioComponentSpec.spec.components.pilot of type apis.ComponentSpec",
            "entry 'values.pilot.foo=1' of set & 'spec.components.pilot' & wrong type (array)",
        ),
        (
            "Error: helm render: render chart: execution error at (base/templates/zzz_profile.yaml:45:3): unknown platform aks",
            "platform 'aks' & not found & Istio 1.29.1 & gke, k3s",
        ),
        (
            "Error: bad hub: repository can only",
            "istioctl 1.29.1 & rejected & bad hub: repository can only.",
        ),
    ],
)
def test_refusals_say_where_and_what(made: MadeRelease, output: str, sentence: str) -> None:
    made.fails(output)
    with pytest.raises(InvalidInput) as caught:
        Renderer(made.release).render([OVERLAY], ["values.pilot.foo=1"])
    assert has_facts(caught.value.message, sentence)


def test_an_istioctl_that_cannot_run(made: MadeRelease) -> None:
    made.release.istioctl.chmod(0o644)
    with pytest.raises(MeshError, match=facts_pattern("cannot run & istioctl & Permission denied")):
        Renderer(made.release).render([])
