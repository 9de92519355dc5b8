# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading manifests: what YAML means to Kubernetes, and what is said about what it cannot mean."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import (
    Key,
    Kind,
    key_of,
    read_manifests,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import read_yaml
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def read_one(text: str) -> Any:
    [document] = read_yaml(textwrap.dedent(text), "mesh.yaml")
    return document


def names(text: str) -> list[str]:
    return [obj["metadata"]["name"] for obj in read_manifests(textwrap.dedent(text), "mesh.yaml")]


def refusal(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_manifests(textwrap.dedent(text), "mesh.yaml")
    assert "\n" not in caught.value.message
    return caught.value


# --- what YAML means -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=", "="),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("12:30", "12:30"),
        ("1:30:00.5", "1:30:00.5"),
        ("yes", True),
        ("0755", 0o755),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("~", None),
    ],
)
def test_scalars_mean_what_they_mean_to_kubectl(written: str, meant: object) -> None:
    assert read_one(f"value: {written}") == {"value": meant}


def test_keys_are_text_as_in_json() -> None:
    assert read_one("{80: a, true: b, 1.5: c, word: d}") == {"80": "a", "true": "b", "1.5": "c", "word": "d"}


def test_merge_keys_may_be_overridden() -> None:
    document = read_one("""
        base: &base {cpu: 1, memory: 1Gi}
        istiod: {<<: *base, cpu: 2}
    """)
    assert document["istiod"] == {"cpu": 2, "memory": "1Gi"}


def test_a_mapping_that_overrides_what_it_merges_may_be_merged_itself() -> None:
    document = read_one("""
        base: &base {cpu: 1, memory: 1Gi}
        deep:
          deeper:
            larger: &larger {<<: *base, cpu: 2}
        largest: {<<: *larger, disk: 1Ti}
    """)
    assert document["deep"]["deeper"]["larger"] == {"cpu": 2, "memory": "1Gi"}
    assert document["largest"] == {"cpu": 2, "memory": "1Gi", "disk": "1Ti"}


def test_empty_documents_are_left_out() -> None:
    assert read_yaml("---\n---\na: 1\n---\n# a comment\n---\nb: 2\n...\n", "mesh.yaml") == [{"a": 1}, {"b": 2}]
    assert read_yaml("", "mesh.yaml") == []


def test_lists_are_expanded_also_within_lists() -> None:
    found = names("""
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}
        - apiVersion: v1
          kind: List
          items:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
        ---
        {apiVersion: v1, kind: ConfigMapList, items: []}
        ---
        {apiVersion: v1, kind: List, items: null}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: three}}
    """)
    assert found == ["one", "two", "three"]


def test_a_kind_may_be_called_list() -> None:
    assert names("{apiVersion: example.com/v1, kind: AllowList, metadata: {name: people}}") == ["people"]


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_repeated_key_is_refused_by_file_and_line() -> None:
    error = refusal("""\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: one}
        data:
          colour: red
          size: big
          colour: blue
    """)
    assert has_facts(error.message, "mesh.yaml, line 7 & key 'colour' & duplicate & keep one")
    assert error.details == {"file": "mesh.yaml", "line": 7}


def test_a_repeated_key_is_found_however_it_is_written() -> None:
    assert has_facts(refusal('{80: a, "80": b}').message, "line 1 & key '80' & duplicate")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: c: d", 2, "mapping values are not allowed"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "expected ',' or ']'"),
        ("a: 1\n\tb: 2", 2, ""),
        ("a: 1\n[a, b]: c", 2, "key & map or list"),
        ("a: 1\n~: c", 2, "the key of a map is null"),
        ("a: 1\nb: !secret c", 2, "tag !secret & not supported"),
        ("a: 1\nb: *c", 2, "undefined alias"),
    ],
)
def test_what_is_not_yaml_is_refused_by_file_and_line(text: str, line: int, problem: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"mesh.yaml, line {line}: ")
    assert has_facts(error.message, problem)
    assert error.details == {"file": "mesh.yaml", "line": line}


def test_characters_that_yaml_forbids_are_refused() -> None:
    assert refusal("a: b\nc: \x00").message.startswith("mesh.yaml, line 2: the control character U+0000 ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[a]", "mesh.yaml, document 1 & is a list & Kubernetes object"),
        ("<html>", "mesh.yaml, document 1 & is text & Kubernetes object"),
        ("kind: Pod", "mesh.yaml, document 1 & apiVersion & not found"),
        ("{apiVersion: v1, kind: 7}", "mesh.yaml, document 1 & kind & not found"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {generateName: a-}}",
            "mesh.yaml, document 1 & Pod & metadata.name",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: 8080}}",
            "mesh.yaml, document 1 & Pod & metadata.name",
        ),
        (
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 1}}",
            "mesh.yaml, document 1 (Pod a) & metadata.namespace is a number, but must be text",
        ),
    ],
)
def test_what_is_no_object_is_refused_by_file_and_document(text: str, sentence: str) -> None:
    assert has_facts(refusal(text).message, sentence)


# --- what names an object ------------------------------------------------------------------------------------------


def test_a_key_reads_as_people_write_it() -> None:
    [pod] = read_manifests("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}", "mesh.yaml")
    assert key_of(pod) == Key("v1", "Pod", "b", "a")
    assert str(key_of(pod)) == "Pod b/a"
    assert str(Key("rbac.authorization.k8s.io/v1", "ClusterRole", "", "reader")) == "ClusterRole reader"


def test_an_object_is_the_same_at_every_version_of_its_group() -> None:
    old = Key("networking.istio.io/v1beta1", "Gateway", "shop", "web")
    new = Key("networking.istio.io/v1", "Gateway", "shop", "web")
    other = Key("gateway.networking.k8s.io/v1", "Gateway", "shop", "web")
    assert old.identity == new.identity != other.identity
    assert new.of == Kind("networking.istio.io/v1", "Gateway")
    assert (new.of.group, Kind("v1", "Pod").group) == ("networking.istio.io", "")
