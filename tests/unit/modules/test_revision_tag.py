# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revision tags: set, moved, removed, and refused before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.tag_objects import NEVER_MATCH
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import injector, make, pod
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Object = dict[str, Any]

ADMISSION = "admissionregistration.k8s.io/v1"
MUTATING = f"/apis/{ADMISSION}/mutatingwebhookconfigurations"
SERVICES = "/api/v1/namespaces/istio-system/services"
BUNDLE = "Y2VydGlmaWNhdGU="


def tag_objects(tag: str, revision: str) -> list[Object]:
    """What the charts render for a tag: beside it, something that is not the tag's."""
    labels = {
        "istio.io/tag": tag,
        "istio.io/rev": revision,
        "app": "sidecar-injector",
        "operator.istio.io/component": "Pilot",
    }
    expressions = [
        {"key": "istio.io/rev", "operator": "In", "values": [tag]},
        {"key": "istio-injection", "operator": "DoesNotExist"},
    ]
    webhook = {
        "name": "rev.namespace.sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": "of-the-chart", "namespace": "istio-system", "path": "/inject"}},
        "namespaceSelector": {"matchExpressions": expressions},
        "objectSelector": {},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    name = f"istio-revision-tag-{tag}"
    return [
        make("MutatingWebhookConfiguration", name, api=ADMISSION, labels=labels, webhooks=[webhook]),
        make(
            "Service",
            f"istiod-revision-tag-{tag}",
            "istio-system",
            labels={**labels, "app": "istiod"},
            spec={"selector": {"app": "istiod", "istio.io/rev": revision}, "ports": [{"port": 443}]},
        ),
        make("ConfigMap", "of-no-tag", "istio-system"),
    ]


def installed(api: ApiServer, *revisions: str) -> None:
    """Have revisions in the cluster, each with an injector that istiod has given its certificate."""
    api.put(
        "/api/v1/namespaces/istio-system",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}},
    )
    for revision in revisions:
        hook = injector(revision)
        hook["metadata"]["labels"] |= {"operator.istio.io/version": "1.29.1", "operator.istio.io/managed": "Reconcile"}
        for webhook in hook["webhooks"]:
            webhook["clientConfig"]["caBundle"] = BUNDLE
        api.put(f"{MUTATING}/{hook['metadata']['name']}", hook)


def options(made: MadeRelease, name: str, revision: str, **given: Any) -> dict[str, Any]:
    made.renders(*tag_objects(name, revision), tags=True)
    return {"name": name, "revision": revision, "source": [str(made.root)], "wait": False, **given}


def test_a_tag_is_set_moved_and_removed(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    installed(api, "default", "canary")
    wanted = options(made, "prod", "default")
    planned = on_api("revision_tag", **wanted, check=True, diff=True)
    assert (planned["previous_revision"], api.writes) == ("", [])
    assert [(one["action"], one["kind"], one["name"]) for one in planned["changes"]] == [
        ("create", "MutatingWebhookConfiguration", "istio-revision-tag-prod"),
        ("create", "Service", "istiod-revision-tag-prod"),
    ]
    on_api("revision_tag", **wanted)
    tag = api.get(f"{MUTATING}/istio-revision-tag-prod")
    [webhook] = tag["webhooks"]
    assert webhook["clientConfig"]["service"]["name"] == "istiod"
    assert webhook["clientConfig"]["caBundle"] == BUNDLE
    # An installer would prune or move what bears its labels.
    assert tag["metadata"]["labels"] == {
        "istio.io/tag": "prod",
        "istio.io/rev": "default",
        "app": "sidecar-injector",
    }
    written = api.writes
    again = on_api("revision_tag", **wanted)
    assert (again["changed"], api.writes) == (False, written)

    moved = on_api("revision_tag", **options(made, "prod", "canary"))
    assert (moved["revision"], moved["previous_revision"]) == ("canary", "default")
    assert {one["action"] for one in moved["changes"]} == {"update"}
    [webhook] = api.get(f"{MUTATING}/istio-revision-tag-prod")["webhooks"]
    assert webhook["clientConfig"]["service"]["name"] == "istiod-canary"

    removed = on_api("revision_tag", name="prod", state="absent", wait=False)
    assert {one["action"] for one in removed["changes"]} == {"delete"}
    assert not on_api("revision_tag", name="prod", state="absent", wait=False)["changed"]


def test_the_default_tag_silences_the_injector_without_a_name(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    installed(api, "default", "canary")
    done = on_api("revision_tag", **options(made, "default", "canary"))
    assert ("update", "istio-sidecar-injector") in [(one["action"], one["name"]) for one in done["changes"]]
    for webhook in api.get(f"{MUTATING}/istio-sidecar-injector")["webhooks"]:
        assert (webhook["namespaceSelector"], webhook["objectSelector"]) == (NEVER_MATCH, NEVER_MATCH)
    assert not on_api("revision_tag", **options(made, "default", "canary"))["changed"]


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        ({"name": "prod", "revision": "gone"}, "revision_missing", "revision gone & not found & canary, default"),
        ({"name": "canary", "revision": "default"}, "name_taken", "tag canary & revision & already exists"),
        ({"name": "Prod", "revision": "default"}, "invalid_input", "tag 'Prod' & invalid"),
    ],
)
def test_what_cannot_be_a_tag(
    given: Object, code: str, sentence: str, api: ApiServer, on_api: Run, made: MadeRelease
) -> None:
    installed(api, "default", "canary")
    refused = on_api("revision_tag", **{**options(made, "prod", "default"), **given})
    assert (refused["code"], api.writes) == (code, [])
    assert has_facts(refused["msg"], sentence)


def test_a_plan_may_reckon_with_a_revision_that_is_yet_to_come(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    installed(api)
    wanted = options(made, "prod", "canary", version="1.29.1", assume_revision=True)
    hook = injector("canary")
    hook["metadata"]["labels"]["operator.istio.io/component"] = "Pilot"
    made.renders(hook)
    planned = on_api("revision_tag", **wanted, check=True)
    assert [one["action"] for one in planned["changes"]] == ["create", "create"]
    assert on_api("revision_tag", **wanted)["code"] == "revision_missing"


def test_a_tag_in_use_is_not_removed(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    installed(api, "default")
    on_api("revision_tag", **options(made, "prod", "default"))
    api.put(
        "/api/v1/namespaces/shop",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"istio.io/rev": "prod"}}},
    )
    api.put("/api/v1/namespaces/bank/pods/till", pod("till", "bank", proxy="1.29.1", labels={"istio.io/rev": "prod"}))
    written = api.writes
    refused = on_api("revision_tag", name="prod", state="absent", wait=False)
    assert (refused["code"], api.writes) == ("in_use", written)
    assert refused["details"]["users"] == ["Namespace shop", "Pod bank/till"]
    assert on_api("revision_tag", name="prod", state="absent", wait=False, force=True)["changed"]
