# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What istiod, Helm and AKS set at run time is not taken back, and not written again either."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.runtime_fields import MeshRuntimeFields
from ansible_collections.meshops.istio.tests.support.memory_cluster import make, namespace

Object = dict[str, Any]
OURS = frozenset({"us", "istio-operator"})


def runtime_fields(*, ready: bool = True) -> MeshRuntimeFields:
    return MeshRuntimeFields(OURS, lambda: ready)


def owned(obj: Object, **fields: Object) -> Object:
    """The object with these managers' fields."""
    obj = copy.deepcopy(obj)
    obj["metadata"]["managedFields"] = [
        {"manager": manager.replace("_", "-"), "operation": "Update", "fieldsV1": owned}
        for manager, owned in fields.items()
    ]
    return obj


def validator(policy: str, **webhook: Any) -> Object:
    full = {"name": "validation.istio.io", "failurePolicy": policy, **webhook}
    return make("ValidatingWebhookConfiguration", "v", api="admissionregistration.k8s.io/v1", webhooks=[full])


def of_webhook(**fields: Object) -> Object:
    return {"f:webhooks": {'k:{"name":"validation.istio.io"}': {f"f:{name}": value for name, value in fields.items()}}}


def test_a_new_object_is_as_desired() -> None:
    assert runtime_fields()(validator("Ignore"), None) == validator("Ignore")


def test_istiods_failure_policy_is_left_to_istiod() -> None:
    live = owned(validator("Fail"), pilot_discovery=of_webhook(failurePolicy={}))
    assert "failurePolicy" not in runtime_fields()(validator("Ignore"), live)["webhooks"][0]


def test_a_failure_policy_that_nobody_else_holds_is_kept() -> None:
    live = owned(validator("Fail"), istio_operator=of_webhook(failurePolicy={}))
    assert runtime_fields()(validator("Ignore"), live)["webhooks"][0]["failurePolicy"] == "Fail"


def test_without_a_ready_istiod_it_is_reset() -> None:
    live = owned(validator("Fail"), pilot_discovery=of_webhook(failurePolicy={}))
    assert runtime_fields(ready=False)(validator("Ignore"), live)["webhooks"][0]["failurePolicy"] == "Ignore"


ENFORCED = [
    {"key": "control-plane", "operator": "DoesNotExist"},
    {"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]},
]
OWN = {"matchExpressions": [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]}


def test_the_enforcers_expressions_are_merged_into_ours() -> None:
    old = {"matchExpressions": [{"key": "istio.io/rev", "operator": "Exists"}, *ENFORCED]}
    live = owned(validator("Ignore", namespaceSelector=old), admissionsenforcer=of_webhook(namespaceSelector={}))
    webhook = runtime_fields()(validator("Ignore", namespaceSelector=copy.deepcopy(OWN)), live)["webhooks"][0]
    assert webhook["namespaceSelector"] == {"matchExpressions": [*OWN["matchExpressions"], *ENFORCED]}


def test_a_selector_that_the_enforcer_holds_is_left_to_it() -> None:
    merged = {"matchExpressions": [*ENFORCED, *OWN["matchExpressions"]]}
    live = owned(validator("Ignore", namespaceSelector=merged), admissionsenforcer=of_webhook(namespaceSelector={}))
    webhook = runtime_fields()(validator("Ignore", namespaceSelector=copy.deepcopy(OWN)), live)["webhooks"][0]
    assert "namespaceSelector" not in webhook


def test_anybody_elses_expressions_are_drift() -> None:
    live = owned(
        validator("Ignore", namespaceSelector={"matchExpressions": ENFORCED}), someone=of_webhook(namespaceSelector={})
    )
    webhook = runtime_fields()(validator("Ignore", namespaceSelector=copy.deepcopy(OWN)), live)["webhooks"][0]
    assert webhook["namespaceSelector"] == OWN


def test_a_network_is_only_given_to_a_new_namespace() -> None:
    key = "topology.istio.io/network"
    desired = make("Namespace", "istio-system", labels={key: "north"})
    assert runtime_fields()(copy.deepcopy(desired), namespace("istio-system"))["metadata"]["labels"] == {}
    old = make("Namespace", "istio-system", labels={key: "south"})
    assert runtime_fields()(copy.deepcopy(desired), old)["metadata"]["labels"] == {key: "north"}
