# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Diffs: what a person reads of a change, and what must not be read there."""

from __future__ import annotations

import base64
import json
import textwrap
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Change
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.diff import diffs
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, definition, obj, secret

Object = dict[str, Any]


def text(before: Object | None, after: Object | None, **more: Any) -> str:
    action = "update" if before and after else "delete" if before else "create"
    [diff] = diffs([Change(action, key_of(before or after or {}), before, after, **more)])
    assert list(diff) == ["prepared"]
    return diff["prepared"]


def test_an_update_shows_what_changes() -> None:
    before = config_map(colour="red", size="big", shape="round")
    after = config_map(colour="blue", size="big", shape="round")
    assert text(before, after) == textwrap.dedent("""\
        ~ ConfigMap shop/web (update)
        @@ -1,6 +1,6 @@
         apiVersion: v1
         data:
        -  colour: red
        +  colour: blue
           shape: round
           size: big
         kind: ConfigMap
    """)


def test_a_creation_shows_all_and_a_deletion_too() -> None:
    shown = text(None, config_map())
    assert shown.startswith("+ ConfigMap shop/web (create)\n")
    assert "\n+  a: '1'\n" in shown
    assert "\n-" not in shown
    shown = text(config_map(), None)
    assert shown.startswith("- ConfigMap shop/web (delete)\n")
    assert "\n-  a: '1'\n" in shown


def test_texts_of_many_lines_are_read_by_line() -> None:
    shown = text(config_map(mesh="a: 1\nb: 2\n\nc: 3\n"), config_map(mesh="a: 1\nb: 3\n\nc: 3\n"))
    assert shown.splitlines()[3:8] == ["   mesh: |", "     a: 1", "-    b: 2", "+    b: 3", " "]


def test_what_changes_by_itself_is_not_shown() -> None:
    before = {**config_map(), "status": {"seen": 1}}
    before["metadata"].update(resourceVersion="1", uid="a", generation=1, managedFields=[{"manager": "x"}])
    after = {**config_map(a="2"), "status": {"seen": 2}}
    after["metadata"].update(resourceVersion="2", uid="a", generation=2, managedFields=[{"manager": "y"}])
    assert [line for line in text(before, after).splitlines()[1:] if line[0] in "+-"] == ["-  a: '1'", "+  a: '2'"]


def test_a_change_of_owners_says_so() -> None:
    assert text(config_map(), config_map()) == "~ ConfigMap shop/web (update): only the ownership of fields\n"
    shown = text(config_map(), config_map(a="2"), previous_managers=frozenset({"helm"}))
    assert shown.startswith("~ ConfigMap shop/web (update, takeover)\n")


def test_a_big_new_object_is_one_line() -> None:
    big = definition()
    big["spec"]["versions"][0]["schema"] = {"properties": {f"field{number}": {"type": "x"} for number in range(2000)}}
    shown = text(None, big)
    assert shown.startswith("+ CustomResourceDefinition shapes.example.com (create): ")
    assert shown.endswith(" lines\n")
    assert shown.count("\n") == 1
    assert text(big, None).count("\n") == 1
    changed = {**big, "spec": {**big["spec"], "scope": "Cluster"}}
    assert "-  scope: Namespaced" in text(big, changed)


def test_no_value_of_a_secret_is_shown() -> None:
    def encoded(value: str) -> str:
        return base64.b64encode(value.encode()).decode()

    def applied(**data: str) -> Object:
        one = secret(**{name: encoded(value) for name, value in data.items()})
        copy = json.dumps({"stringData": data})
        one["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": copy, "note": "shown"}
        return one

    before = applied(password="swordfish", user="admin", old="forgotten")
    after = applied(password="catfish", user="admin", new="fresh")
    for shown in (text(before, after), text(None, after), text(before, None)):
        for value in ("swordfish", "admin", "forgotten", "catfish", "fresh"):
            assert value not in shown.replace("metadata", "")
            assert encoded(value) not in shown
    lines = [line for line in text(before, after).splitlines()[1:] if line[0] in "+-"]
    assert lines == ["-  old: <hidden>", "-  password: <hidden>", "+  new: <hidden>", "+  password: <hidden, changed>"]


def test_values_of_a_secret_that_is_kept_as_text_are_not_shown_either() -> None:
    assert "swordfish" not in text(None, obj("v1", "Secret", "web", "shop", stringData={"password": "swordfish"}))
