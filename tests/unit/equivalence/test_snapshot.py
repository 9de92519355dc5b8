# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kinds of a cluster are read."""

from __future__ import annotations

from typing import Any

from ansible_collections.meshops.istio.tests.equivalence.snapshot import listings

Object = dict[str, Any]


def group(name: str, *versions: Object) -> Object:
    return {"metadata": {"name": name} if name else {}, "versions": list(versions)}


def version(name: str, *resources: Object) -> Object:
    return {"version": name, "resources": list(resources)}


def resource(plural: str, kind: str, *verbs: str) -> Object:
    return {"resource": plural, "responseKind": {"kind": kind}, "verbs": list(verbs)}


def test_each_kind_is_listed_once_in_the_version_that_the_server_prefers() -> None:
    scaler = resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", "get", "list")
    documents = [
        {"items": [group("", version("v1", resource("services", "Service", "list"), resource("bindings", "Binding")))]},
        {"items": [group("autoscaling", version("v2", scaler), version("v1", scaler))]},
    ]
    assert [tuple(one) for one in listings(documents)] == [
        ("v1", "Service", "/api/v1/services"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "/apis/autoscaling/v2/horizontalpodautoscalers"),
    ]
