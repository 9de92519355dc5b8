# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Immutable fields are named without their values, and objects created anew only where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.immutable_fields import immutable_fields
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.recreate import on_trial
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

SECRET = "swordfish"
MUTABLE = "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit' and 'minReadySeconds'"


def stateful(*, size: str = "1Gi", app: str = "db", keeps: str = "Retain", **spec: Any) -> Object:
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": app}},
            "template": {"metadata": {"labels": {"app": app}}, "spec": {"containers": []}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": keeps},
            "volumeClaimTemplates": [claim],
            **spec,
        },
    }


def claim(name: str = "data-db-0", size: str = "1Gi") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"resources": {"requests": {"storage": size}}},
    }


def of(kind: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "it", "namespace": "default"}, "spec": {}}


def refused(field: str, message: str, *, status: int = 422) -> ApiError:
    causes = [{"reason": "FieldValueForbidden", "field": field, "message": message}]
    body = {"message": f"it is invalid: {field}: {message}: {SECRET}", "details": {"causes": causes}}
    return ApiError("refused", status=status, body=body)


# --- what is said --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "field", "message", "named"),
    [
        (
            "Job",
            "spec.template",
            f"Invalid value: core.PodTemplateSpec{{{SECRET}}}: field is immutable",
            "spec.template",
        ),
        ("Deployment", "spec.selector", f"Invalid value: {SECRET}: field is immutable", "spec.selector"),
        ("ConfigMap", "data", "Forbidden: field is immutable when `immutable` is set", "data"),
        ("Service", "spec.clusterIPs[0]", f'Invalid value: ["{SECRET}"]: may not change once set', "spec.clusterIP"),
        ("StorageClass", "parameters", "Forbidden: updates to parameters are forbidden.", "parameters"),
        ("PriorityClass", "value", "Forbidden: may not be changed in an update.", "value"),
        ("RoleBinding", "roleRef", f"Invalid value: {SECRET}: cannot change roleRef", "roleRef"),
        ("Gadget", "spec.size", f"Invalid value: {SECRET}: size is immutable", "spec.size"),
    ],
)
def test_the_field_is_named_and_no_value(kind: str, field: str, message: str, named: str) -> None:
    found = immutable_fields(key_of(of(kind)), refused(field, message), of(kind), of(kind), recreate=False)
    assert found is not None
    assert (found.code, found.details["fields"]) == ("immutable", [named])
    assert f"{kind} default/it" in found.message
    assert "recreate" in found.message
    assert SECRET not in found.message


def test_of_a_stateful_set_those_fields_are_named_that_differ() -> None:
    error = refused("spec", f"Forbidden: updates to statefulset spec for fields other than {MUTABLE} are forbidden")
    wanted = stateful(size="2Gi", serviceName="other", replicas=3)
    found = immutable_fields(key_of(wanted), error, wanted, stateful(), recreate=False)
    assert found is not None
    assert found.fields == ["spec.serviceName", "spec.volumeClaimTemplates[data].spec.resources.requests.storage"]
    assert "claims are kept" in found.message


@pytest.mark.parametrize(
    "error",
    [
        refused("spec.resources.requests.storage", "Forbidden: field can not be less than status.capacity"),
        refused("spec", "Forbidden: spec is immutable after creation except resources.requests for bound claims"),
        ApiError(
            "refused",
            status=403,
            body={"message": 'claims "it" is forbidden: only dynamically provisioned pvc can be resized and the …'},
        ),
    ],
)
@pytest.mark.parametrize("recreate", [None, False, True])
def test_a_claim_is_never_to_be_deleted(error: ApiError, recreate: bool | None) -> None:
    found = immutable_fields(key_of(claim()), error, claim(size="2Gi"), claim(), recreate=recreate)
    assert found is not None
    assert found.fields == ["spec.resources.requests.storage"]
    assert has_facts(found.message, "immutable & never recreated")
    assert "`recreate`" not in found.message


def test_without_the_option_it_is_said_to_delete_it() -> None:
    error = refused("spec", f"Forbidden: updates to statefulset spec for fields other than {MUTABLE} are forbidden")
    found = immutable_fields(key_of(stateful()), error, stateful(size="2Gi"), stateful(), recreate=None)
    assert found is not None
    assert "--cascade=orphan" in found.message
    assert "`recreate`" not in found.message


@pytest.mark.parametrize(
    "error",
    [
        refused("spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        refused("spec.template", "field is immutable", status=409),
        ApiError("refused", status=422, body={"message": "the configuration is immutable"}),
        ApiError("refused", status=403, body={"message": "may not change it"}),
    ],
)
def test_other_refusals_are_none_of_this(error: ApiError) -> None:
    assert immutable_fields(key_of(of("Job")), error, of("Job"), of("Job"), recreate=False) is None


# --- what is done --------------------------------------------------------------------------------------------------


def run(cluster: Cluster, *objects: Object, recreate: bool | None = True, **more: Any) -> Outcome:
    options = {"check": False, "diff": False, "wait": False, "timeout": 20.0, "progress": silent, **more}
    return reconcile(cluster, Unit("meshops.istio/test", objects, recreate=recreate), Settings(**options))


def acts(outcome: Outcome) -> list[str]:
    return [f"{change['action']} {change['kind']} {change['name']}" for change in outcome.changes]


@pytest.fixture
def strict(api: ApiServer) -> Callable[..., None]:
    """The API server refuses to update objects of this plural where they are."""

    def refuse(field: str, message: str, *plurals: str) -> None:
        stored = {one["metadata"]["name"] for one in api.objects}

        def fault(request: Request) -> Answer | None:
            parts = request.path.split("/")
            if request.method != "PATCH" or parts[-2] not in plurals or parts[-1] not in stored:
                return None
            if any(one.method == "DELETE" and one.path == request.path for one in api.requests):
                return None
            body = refused(field, message).body
            return Answer(422, {"kind": "Status", "reason": "Invalid", "code": 422, **body})

        api.fault = fault

    return refuse


def test_several_are_all_named_before_anything_is_written(
    api: ApiServer, cluster: Cluster, strict: Callable[..., None]
) -> None:
    run(cluster, config_map("one"), config_map("two"))
    strict("data", "Forbidden: field is immutable when `immutable` is set", "configmaps")
    written = len(api.writes)
    changed = [{**config_map(name), "data": {"key": SECRET}} for name in ("one", "two")]
    for check in (False, True):
        with pytest.raises(Refused, match=r"shop/one \(data\), ConfigMap shop/two \(data\)") as caught:
            run(cluster, *changed, recreate=False, check=check)
        assert caught.value.code == "immutable"
        assert SECRET not in caught.value.message
    assert len(api.writes) == written


def test_it_is_created_anew_once(api: ApiServer, cluster: Cluster, strict: Callable[..., None]) -> None:
    run(cluster, config_map("one"), config_map("two"))
    [before] = [one for one in api.objects if one["metadata"]["name"] == "one"]
    strict("data", "Forbidden: field is immutable when `immutable` is set", "configmaps")
    changed = [{**config_map("one"), "data": {"key": "other"}}, config_map("two")]
    planned = run(cluster, *changed, check=True, diff=True)
    assert before in api.objects
    done = run(cluster, *changed, expected_digest=planned.digest)
    assert acts(done) == acts(planned) == ["delete ConfigMap one", "create ConfigMap one"]
    assert len(planned.diff) == 2
    [after] = [one for one in api.objects if one["metadata"]["name"] == "one"]
    assert (after["data"], after["metadata"]["uid"] != before["metadata"]["uid"]) == ({"key": "other"}, True)
    assert not run(cluster, *changed).changed


def test_what_would_be_refused_anew_is_not_deleted(
    api: ApiServer, cluster: Cluster, strict: Callable[..., None]
) -> None:
    run(cluster, config_map("one"))
    strict("data", "Forbidden: field is immutable when `immutable` is set", "configmaps")
    updates = api.fault

    def fault(request: Request) -> Answer | None:
        if request.path.endswith("one-recreated"):
            return Answer(422, {"kind": "Status", "message": "data: Too long"})
        return updates(request)

    api.fault = fault
    with pytest.raises(Refused, match="Too long"):
        run(cluster, {**config_map("one"), "data": {"key": "other"}})
    assert not [one for one in api.writes if one.startswith("DELETE")]


@pytest.mark.parametrize(("app", "propagation"), [("db", "Orphan"), ("other", "Foreground")])
def test_a_stateful_set_keeps_its_pods_where_it_selects_them_and_its_claims_grow(
    api: ApiServer, cluster: Cluster, strict: Callable[..., None], app: str, propagation: str
) -> None:
    run(cluster, stateful())
    for one in (claim(), claim("data-db-1", "4Gi"), claim("data-db-x"), claim("data-dbx-0")):
        api.put(f"/api/v1/namespaces/default/persistentvolumeclaims/{one['metadata']['name']}", one)
    strict(
        "spec",
        f"Forbidden: updates to statefulset spec for fields other than {MUTABLE} are forbidden",
        "statefulsets",
    )
    done = run(cluster, stateful(size="2Gi", app=app))
    assert acts(done) == [
        "delete StatefulSet db",
        "create StatefulSet db",
        "update PersistentVolumeClaim data-db-0",
    ]
    [deletion] = [one for one in api.requests if one.method == "DELETE"]
    assert deletion.body["propagationPolicy"] == propagation
    sizes = {
        one["metadata"]["name"]: one["spec"]["resources"]["requests"]["storage"]
        for one in api.objects
        if one["kind"] == "PersistentVolumeClaim"
    }
    assert sizes == {"data-db-0": "2Gi", "data-db-1": "4Gi", "data-db-x": "1Gi", "data-dbx-0": "1Gi"}


def test_a_stateful_set_whose_claims_would_go_with_it_is_not_deleted(
    api: ApiServer, cluster: Cluster, strict: Callable[..., None]
) -> None:
    run(cluster, stateful(keeps="Delete"))
    strict(
        "spec",
        f"Forbidden: updates to statefulset spec for fields other than {MUTABLE} are forbidden",
        "statefulsets",
    )
    with pytest.raises(Refused, match="whenDeleted to Retain first"):
        run(cluster, stateful(app="other"))
    assert not [one for one in api.writes if one.startswith("DELETE")]


def test_a_claim_that_cannot_be_expanded_is_a_warning(
    api: ApiServer, cluster: Cluster, strict: Callable[..., None]
) -> None:
    run(cluster, stateful())
    api.put("/api/v1/namespaces/default/persistentvolumeclaims/data-db-0", claim())
    strict(
        "spec",
        f"Forbidden: updates to statefulset spec for fields other than {MUTABLE} are forbidden",
        "statefulsets",
    )
    updates = api.fault
    api.fault = lambda request: (
        Answer(403, {"message": "only dynamically provisioned pvc can be resized"})
        if request.method == "PATCH" and "persistentvolumeclaims" in request.path
        else updates(request)
    )
    warnings: list[str] = []
    done = run(cluster, stateful(size="2Gi"), checks=lambda plan: warnings.extend(plan.warnings))
    assert acts(done) == ["delete StatefulSet db", "create StatefulSet db"]
    assert has_facts(warnings[0], "PersistentVolumeClaim default/data-db-0 & not expanded & StorageClass")


def test_a_service_is_tried_without_the_addresses_that_are_yet_taken() -> None:
    service = of("Service")
    service["spec"] = {"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}], "type": "NodePort"}
    kept = deepcopy(service)
    tried = on_trial(service)
    assert tried["spec"] == {"ports": [{"port": 80}], "type": "NodePort"}
    assert (tried["metadata"]["name"], service) == ("it-recreated", kept)
    service["spec"] = {"clusterIP": "None"}
    assert on_trial(service)["spec"] == {"clusterIP": "None"}
