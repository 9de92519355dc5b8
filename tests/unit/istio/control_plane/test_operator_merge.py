# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IstioOperators are laid over each other, and flags read, the way istioctl does it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.operator_merge import (
    get_path,
    merge,
    set_flag,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern


def test_maps_are_merged_and_lists_replaced() -> None:
    base = {"a": {"x": 1, "l": [1, 2]}, "b": 1}
    top = {"a": {"y": 2, "l": [3]}, "b": {"c": 1}}
    assert merge(base, top) == {"a": {"x": 1, "y": 2, "l": [3]}, "b": {"c": 1}}
    base["a"]["l"].append(4)  # type: ignore[index]
    assert top["a"] == {"y": 2, "l": [3]}


@pytest.mark.parametrize(
    ("flag", "spec"),
    [
        ("profile=demo", {"profile": "demo"}),
        ("values.pilot.traceSampling=1.5", {"values": {"pilot": {"traceSampling": 1.5}}}),
        ("values.pilot.autoscaleMin=2", {"values": {"pilot": {"autoscaleMin": 2}}}),
        ("values.pilot.autoscaleEnabled=true", {"values": {"pilot": {"autoscaleEnabled": True}}}),
        ("tag=1", {"tag": "1"}),
        (r"values.a.b\.c/d=e", {"values": {"a": {"b.c/d": "e"}}}),
        (r"values.a=b\,c", {"values": {"a": "b,c"}}),
        ("components.ingressGateways[0].name=gw", {"components": {"ingressGateways": [{"name": "gw"}]}}),
        ("values.revisionTags.[0]=prod", {"values": {"revisionTags": ["prod"]}}),
    ],
)
def test_flags(flag: str, spec: dict[str, Any]) -> None:
    document: dict[str, Any] = {}
    set_flag(document, flag)
    assert document == {"spec": spec}


def test_a_list_item_is_selected_by_a_key() -> None:
    document: dict[str, Any] = {"spec": {"gateways": [{"name": "a"}, {"name": "b"}]}}
    set_flag(document, "gateways.[name:b].enabled=false")
    assert document["spec"]["gateways"] == [{"name": "a"}, {"name": "b", "enabled": False}]
    with pytest.raises(InvalidInput, match=facts_pattern("gateways.[name:c].enabled=false & list item & not found")):
        set_flag(document, "gateways.[name:c].enabled=false")


@pytest.mark.parametrize("flag", ["profile", "=demo", "meshConfig.x=a=b"])
def test_flags_that_istioctl_would_misread(flag: str) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("invalid & path=value")):
        set_flag({}, flag)


def test_get_path() -> None:
    assert get_path({"a": {"b": None}}, "a.b") is None
    assert get_path({"a": 1}, "a.b", "none") == "none"


@pytest.mark.parametrize("flag", ["secrets[0].name=x", "secrets[0].a.b=x", "gateways[0].[0]=x", "hub.name=x"])
def test_a_flag_that_goes_through_a_scalar_is_refused(flag: str) -> None:
    document = {"spec": {"secrets": ["a"], "gateways": [{"name": "b"}], "hub": "docker.io"}}
    with pytest.raises(InvalidInput, match="The entry"):
        set_flag(document, flag)


def test_a_superscript_is_no_index() -> None:
    document: dict[str, object] = {}
    set_flag(document, "a[²]=1")
    assert document == {"spec": {"a": {"²": 1}}}
