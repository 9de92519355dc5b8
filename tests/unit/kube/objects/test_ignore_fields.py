# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ignored fields: how they are named, and what becomes of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.ignore_fields import without_ignored

Object = dict[str, Any]

CONTAINER = 'k:{"name":"web"}'


def desired() -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"example.com/team": "blue", "note": "1"}},
        "spec": {
            "replicas": 1,
            "template": {"containers": [{"name": "log"}, {"name": "web", "resources": {"cpu": 1}, "args": ["a"]}]},
        },
    }


def live() -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"example.com/team": "red", "note": "1"}},
        "spec": {
            "replicas": 7,
            "template": {"containers": [{"name": "web", "resources": {"cpu": 2}, "args": ["b"]}, {"name": "log"}]},
        },
    }


FOREIGN = {
    "f:metadata": {"f:annotations": {"f:example.com/team": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {"f:containers": {CONTAINER: {"f:resources": {"f:cpu": {}}}}},
    },
}


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ("metadata.annotations[example.com/team]", ("metadata", "annotations", "example.com/team")),
        ("metadata.annotations.example.com/team", ("metadata", "annotations", "example.com/team")),
        ("spec.template.containers[name=web].resources", ("spec", "template", "containers", 1, "resources")),
        ("spec.template.containers[name=web].resources.cpu", ("spec", "template", "containers", 1, "resources", "cpu")),
        ("spec.template.containers[name=web]", ("spec", "template", "containers", 1)),
        ("Deployment:spec.replicas", ("spec", "replicas")),
        ("Deployment/web:spec.replicas", ("spec", "replicas")),
        ("Deployment/other:spec.replicas", None),
        ("Service:spec.replicas", None),
        ("spec.absent.deep", None),
        ("spec.replicas.deep", None),
        ("spec.template.containers[name=absent].resources", None),
        ("spec.template.containers.name", None),
    ],
)
def test_what_others_own_is_left_out(path: str, gone: tuple[Any, ...] | None) -> None:
    expected = desired()
    if gone:
        parent: Any = expected
        for name in gone[:-1]:
            parent = parent[name]
        del parent[gone[-1]]
    given, there = desired(), live()
    assert without_ignored(given, there, FOREIGN, [path]) == expected
    assert (given, there) == (desired(), live())


@pytest.mark.parametrize("path", ["spec.replicas", "spec.template.containers[name=web]", "metadata.annotations"])
def test_what_nobody_owns_stays_as_it_is(path: str) -> None:
    result = without_ignored(desired(), live(), {}, [path])
    for name in ("spec.replicas", "spec.template.containers[name=web]", "metadata.annotations"):
        assert value(result, name) == value(live() if name == path else desired(), name)


def value(obj: Object, path: str) -> Any:
    found: Any = obj
    for name in path.removesuffix("[name=web]").split("."):
        found = found[name]
    return next(item for item in found if item["name"] == "web") if path.endswith("]") else found


def test_what_is_not_there_yet_is_set() -> None:
    there = deepcopy(live())
    del there["spec"]["replicas"]
    assert without_ignored(desired(), there, {}, ["spec.replicas"]) == desired()


def test_a_value_may_hold_a_colon() -> None:
    given = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"images": [{"name": "b:1", "policy": "x"}]}}
    there = {**given, "spec": {"images": [{"name": "b:1", "policy": "y"}]}}
    result = without_ignored(given, there, {}, ["spec.images[name=b:1].policy"])
    assert result["spec"] == there["spec"]
