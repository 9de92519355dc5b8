# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot work is refused in one sentence, before anything is written."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

OPERATOR = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"version": "1.2.3"}, "Istio 1.2.3 & not found"),
        ({"version": "latest"}, "'latest' & exact version"),
        ({"profile": "tiny"}, "ambient, default, demo"),
        ({"context": "nowhere"}, "context 'nowhere' & not found"),
        ({"kubeconfig": "/nowhere/config"}, "/nowhere/config & not found"),
        (
            {"kubeconfig": None, "host": "https://127.0.0.1:9", "api_key": "x"},
            "https://127.0.0.1:9 & cannot be reached",
        ),
        ({"namespace": "Not A Name"}, "Not A Name"),
        ({"revision": "Not_A_Revision"}, "Not_A_Revision"),
    ],
)
def test_options_of_a_control_plane(given: dict[str, Any], sentence: str, refused: Run, lab: Lab) -> None:
    assert has_facts(refused("control_plane", **{**lab.control_plane, **given})["msg"], sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mesh}\n", "is not an IstioOperator: its kind is ConfigMap"),
        (f"{OPERATOR}spec: {{a: 1\n", "line 4"),
        (f"{OPERATOR}spec: {{}}\nspec: {{}}\n", "line 4: the key 'spec' is a duplicate"),
        (f"{OPERATOR}spec:\n  values:\n    global:\n      colour: green\n", "colour"),
        (f"{OPERATOR}spec:\n  colour: green\n", "colour"),
    ],
)
def test_overlays(text: str, sentence: str, refused: Run, lab: Lab, tmp_path: Path) -> None:
    overlay = tmp_path / "mesh.yaml"
    overlay.write_text(text, encoding="utf-8")
    result = refused("control_plane", **{**lab.control_plane, "overlays": [str(overlay)]})
    assert "mesh.yaml" in result["msg"]
    assert sentence in result["msg"]


def test_refused_credentials(refused: Run, lab: Lab) -> None:
    content = copy.deepcopy(yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8")))
    for user in content["users"]:
        user["user"] = {"token": "expired-long-ago"}
    result = refused("control_plane", **lab.control_plane, kubeconfig=content)
    assert result["code"] == "unauthorized"
    assert has_facts(result["msg"], "unauthorized & credentials")
    assert "expired-long-ago" not in str(result)


def test_missing_permissions(refused: Run, lab: Lab) -> None:
    given = {"impersonate_user": "nobody", "impersonate_groups": ["system:authenticated"]}
    result = refused("control_plane", **{**lab.control_plane, "revision": "it"}, **given)
    assert "nobody" in result["msg"] or "forbidden" in result["msg"].lower()


def test_a_namespace_that_does_not_exist(refused: Run) -> None:
    result = refused("injection", namespaces=["it-nowhere"])
    assert (result["code"], result["details"]) == ("namespace_missing", {"namespaces": ["it-nowhere"]})
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    assert refused("application", name="shop", namespace="it-nowhere", definition=[manifest])["code"] == (
        "namespace_missing"
    )


def test_an_object_that_the_server_would_not_take(refused: Run, namespace: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Colour", "metadata": {"name": "green"}}
    assert refused("application", name="shop", namespace=namespace, definition=[manifest])["code"] == "unknown_kind"


def test_a_gateway_that_does_not_exist(refused: Run) -> None:
    assert has_facts(refused("ingress_info", name="nowhere")["msg"], "Service & nowhere & not found")
