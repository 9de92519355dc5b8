# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad overlays are refused in one sentence that names the file, and the line where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.overlays import Overlay, read_overlays
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

HEAD = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("apiVersion: v1\nkind: Service\n", "mesh.yaml is not an IstioOperator: its kind is Service"),
        ("spec: {}\n", "mesh.yaml is not an IstioOperator: its kind is missing"),
        ("apiVersion: v1\nkind: IstioOperator\n", "its apiVersion is v1"),
        ("- a\n", "must be a map of keys and values"),
        ("", "mesh.yaml & 0 YAML documents"),
        (f"{HEAD}---\n{HEAD}", "mesh.yaml & 2 YAML documents & exactly one IstioOperator"),
        (f"{HEAD}spec:\n  a: b: c\n", "mesh.yaml, line 4: mapping values are not allowed"),
        (f"{HEAD}spec:\n  hub: a\n  hub: b\n", "mesh.yaml, line 5 & key 'hub' & duplicate"),
        (f"{HEAD}profile: demo\n", "mesh.yaml & unknown field 'profile' & below 'spec'"),
        (f"{HEAD}spec: [a]\n", "mesh.yaml & spec is a list, but must be a map"),
    ],
)
def test_what_is_no_overlay_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=r"^mesh\.yaml") as caught:
        Overlay.read(text, "mesh.yaml")
    assert has_facts(caught.value.message, sentence)
    assert caught.value.message.endswith(".")


def test_files_texts_and_objects_keep_their_order(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(f"{HEAD}spec: {{hub: one}}\n")
    inline = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"hub": "two"}}
    text = {"source": "three.yaml", "text": f"{HEAD}spec: {{hub: three}}\n"}
    overlays = read_overlays([str(file), inline, text])
    assert [one.source for one in overlays] == [str(file), "overlay 2", "three.yaml"]
    assert [one.document["spec"]["hub"] for one in overlays] == ["one", "two", "three"]
    assert overlays[0].text == file.read_text()


def test_istioctl_gets_what_was_read() -> None:
    inline = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"tag": "🚀"}}
    assert '"tag":"🚀"' in Overlay.of(inline, "inline").for_istioctl
    assert Overlay.read(json.dumps(inline), "a.json").for_istioctl == Overlay.of(inline, "inline").for_istioctl
    numbers = Overlay.read(f"{HEAD}spec: {{values: {{mode: 0o640, name: '0o640'}}}}\n", "mesh.yaml")
    assert json.loads(numbers.for_istioctl)["spec"]["values"] == {"mode": 416, "name": "0o640"}


def test_an_overlay_that_is_nested_too_deeply_is_refused() -> None:
    spec: dict[str, Any] = {}
    for _level in range(300):
        spec = {"a": spec}
    with pytest.raises(InvalidInput, match="overlay 1: maps and lists are nested more than"):
        read_overlays([{"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("overlay & /no.yaml & not found")):
        read_overlays([str(tmp_path / "no.yaml")])


def test_the_line_of_a_field() -> None:
    overlay = Overlay.read(f"{HEAD}spec:\n  components:\n    ingressGateways:\n    - nam: x\n", "mesh.yaml")
    assert overlay.line_of("nam") == 6
    assert overlay.line_of("name") is None
    assert overlay.holds("nam")
    assert not overlay.holds("name")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("{components: {ingressGateways: {name: a}}}", "spec.components.ingressGateways"),
        ("{components: {ingressGateways: [a]}}", "spec.components.ingressGateways[0]"),
        ("{meshConfig: {extensionProviders: [zipkin]}}", "spec.meshConfig.extensionProviders[0]"),
        ("{values: {global: [a]}}", "spec.values.global"),
        ("{values: x, components: y}", "spec.components"),
    ],
)
def test_a_field_of_another_type_is_named_with_the_file(spec: str, field: str) -> None:
    with pytest.raises(InvalidInput, match=r"^mesh\.yaml ") as caught:
        Overlay.read(f"{HEAD}spec: {spec}\n", "mesh.yaml")
    assert field in caught.value.message
