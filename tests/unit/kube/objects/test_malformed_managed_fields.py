# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""managedFields whose keys are malformed JSON."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects import field_sets, managed_fields
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.ignore_fields import fields_at

Object = dict[str, Any]
OBJECT: Object = {
    "apiVersion": "example.com/v1",
    "kind": "List",
    "metadata": {"name": "one"},
    "items": [{"name": "one"}, "two"],
}


@pytest.fixture(params=["k:{malformed", 'k:"text"', "k:", "v:{malformed", "v:"])
def fields(request: pytest.FixtureRequest) -> Object:
    return {"f:items": {request.param: {"f:name": {}}}}


def test_an_object_is_not_in_sync(fields: Object) -> None:
    assert not managed_fields.in_sync(OBJECT, OBJECT, fields)


def test_no_item_is_found(fields: Object) -> None:
    assert managed_fields.part(OBJECT, fields) == {"items": []}
    assert list(field_sets.changed(OBJECT, {"items": []}, fields)) == []
    assert fields_at(OBJECT, fields, ["items[name=one]"]) in ({}, {"f:items": {}})


def test_items_are_added(fields: Object) -> None:
    assert managed_fields.overlaid(OBJECT, {"items": ["three"]}, fields)["items"][0] == "three"


@pytest.mark.parametrize(
    "remove",
    [lambda obj, fields: managed_fields.without(obj, fields, {}, {"f:items": {}}), field_sets.drop],
    ids=["without", "drop"],
)
def test_no_item_is_removed(fields: Object, remove: Callable[[Object, Object], None]) -> None:
    obj = deepcopy(OBJECT)
    remove(obj, fields)
    assert obj == OBJECT
