# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units that need what they bring themselves, and in which order things go."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.tests.integration.kube.place import Object, Place, WatchedCluster, told

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shapes.$.example.com}
spec:
  group: $.example.com
  scope: Namespaced
  names: {kind: Shape, plural: shapes, singular: shape}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {colour: {type: string}}}}
"""

SHAPE = """
apiVersion: $.example.com/v1
kind: Shape
metadata: {name: round}
spec: {colour: red}
"""

GUARD = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: $}
webhooks:
- name: guard.example.com
  clientConfig: {url: "https://127.0.0.1:1/"}
  sideEffects: None
  failurePolicy: %s
  admissionReviewVersions: [v1]
  rules: [{operations: [CREATE, UPDATE], apiGroups: ["$.example.com"], apiVersions: ["*"], resources: ["*"]}]
"""


def written(cluster: WatchedCluster) -> list[str]:
    """What was written, as `PATCH name`."""
    return [f"{text.split()[0]} {text.rpartition('/')[2]}" for text in cluster.writes]


def test_a_kind_and_what_is_of_it_in_one_unit(place: Place) -> None:
    outcome = place.run(SHAPE, DEFINITION)
    assert sorted(told(outcome)) == [
        f"create CustomResourceDefinition shapes.{place.namespace}.example.com",
        "create Shape round",
    ]
    place.cluster.forget()
    assert told(place.run(SHAPE, DEFINITION)) == []
    assert place.cluster.writes == []
    # By somebody who does not bring the definition.
    assert told(place.run(SHAPE.replace("red", "blue"))) == ["update Shape round"]


def test_a_new_version_of_a_kind_and_what_is_of_it_in_one_unit(place: Place) -> None:
    place.run(DEFINITION, SHAPE)
    version = DEFINITION[DEFINITION.index("  - name: v1") :]
    newer = DEFINITION + version.replace("name: v1", "name: v2").replace("storage: true", "storage: false")
    assert len(told(place.run(newer, SHAPE.replace("/v1", "/v2").replace("red", "blue")))) == 2
    shapes = Kind(f"{place.namespace}.example.com/v2", "Shape")
    assert (place.cluster.get(shapes, "round", place.namespace) or {})["spec"] == {"colour": "blue"}


def test_a_namespace_and_what_is_in_it_in_one_unit(place: Place) -> None:
    name = f"{place.namespace}-more"
    more = f"""
    apiVersion: v1
    kind: ConfigMap
    metadata: {{name: web, namespace: {name}}}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {{name: {name}}}
    """
    assert len(told(place.run(more))) == 2
    assert told(place.run(more)) == []


def test_a_webhook_is_mended_before_what_it_would_block(place: Place) -> None:
    place.run(DEFINITION, SHAPE)
    place.run(GUARD % "Fail")
    blue = SHAPE.replace("red", "blue")
    place.cluster.forget()
    outcome = place.run(blue, GUARD % "Ignore", DEFINITION)
    assert sorted(told(outcome)) == ["update Shape round", f"update ValidatingWebhookConfiguration {place.namespace}"]
    assert written(place.cluster) == [f"PATCH {place.namespace}", "PATCH round"]


def test_what_is_no_longer_wanted_goes_last(place: Place) -> None:
    old = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: b}"
    new = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\ndata: {a: b}"

    def stale(cluster: Cluster) -> list[Object]:
        found = cluster.list(Kind("v1", "ConfigMap"), place.namespace)
        return [one for one in found if one["metadata"]["name"] in {"old", "new"}]

    place.run(old)
    place.cluster.forget()
    assert told(place.run(new, stale=stale, wait=True)) == ["create ConfigMap new", "delete ConfigMap old"]
    assert written(place.cluster) == ["PATCH new", "DELETE old"]
    place.cluster.forget()
    assert told(place.run(new, stale=stale, wait=True)) == []
    assert place.cluster.writes == []


def test_everything_goes_in_the_order_that_lets_it_go(place: Place) -> None:
    more = f"{place.namespace}-more"
    everything = [
        DEFINITION,
        SHAPE,
        GUARD % "Ignore",
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {more}, labels: {{a: b}}}}",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: {more}}}\ndata: {{a: b}}",
    ]
    place.run(*everything)
    objects = place.objects(*everything)

    def live(cluster: Cluster) -> list[Object]:
        found = [cluster.get(key.of, key.name, key.namespace) for key in map(key_of, objects)]
        return [one for one in found if one is not None]

    place.cluster.forget()
    place.run(stale=live, wait=True)
    definition = f"shapes.{place.namespace}.example.com"
    assert [text.split()[1] for text in written(place.cluster)] == [place.namespace, "round", "web", definition, more]
    assert live(place.cluster) == []
    assert told(place.run(stale=live, wait=True)) == []


def test_what_is_just_being_deleted_comes_back(place: Place) -> None:
    wanted = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, finalizers: [example.com/hold]}"
    place.run(wanted)
    place.cluster.delete(Kind("v1", "ConfigMap"), "web", place.namespace)
    rehearsed = place.run(wanted, check=True)
    assert told(rehearsed) == ["create ConfigMap web"]
    waiting: list[str] = []

    def progress(line: str) -> None:
        waiting.append(line)
        if len(waiting) == 1:
            place.change("v1", "ConfigMap", "web", {"metadata": {"finalizers": None}}, "its controller")

    before = place.get("v1", "ConfigMap", "web")["metadata"]["uid"]
    place.run(wanted, progress=progress)
    assert waiting
    live = place.get("v1", "ConfigMap", "web")["metadata"]
    assert live["uid"] != before
    assert "deletionTimestamp" not in live
    place.change("v1", "ConfigMap", "web", {"metadata": {"finalizers": None}})


def test_the_kinds_that_need_no_discovery_are_as_the_server_has_them(cluster: WatchedCluster) -> None:
    served = {kind: cluster._discovery.find(kind) for kind in BUILT_IN}
    assert {kind: BUILT_IN[kind] for kind in BUILT_IN if served[kind]} == {
        kind: found._replace(deletable=False) for kind, found in served.items() if found
    }
    assert {kind for kind in BUILT_IN if not served[kind]} <= {Kind("v1", "Endpoints")}


@pytest.mark.parametrize("kind", ["Shape", "Nothing"])
def test_what_nobody_knows_is_absent(cluster: WatchedCluster, kind: str) -> None:
    key = Key("unknown.example.com/v1", kind, "default", "one")
    assert cluster.get(key.of, key.name, key.namespace) is None
    assert cluster.list(key.of) == []
    assert cluster.delete(key.of, key.name, key.namespace) is False
