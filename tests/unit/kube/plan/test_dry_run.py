# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before the first write: the user's mistakes, and what the API server would not accept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, MeshError, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.dry_run import refuse_unacceptable
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.permissions import refuse_forbidden
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.planning import make_plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.kube.manifests import (
    cluster_role,
    config_map,
    definition,
    deployment,
    namespace,
    obj,
    path_of,
    secret,
    shape,
    validating_webhook,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Object = dict[str, Any]

MANAGER = "meshops.istio/test"


def plan(cluster: Cluster, *objects: Object) -> Plan:
    return make_plan(cluster, Unit(MANAGER, objects))


def refusal(api: ApiServer, make: Callable[[], object]) -> MeshError:
    """The error of what must be refused without a write."""
    with pytest.raises((Refused, InvalidInput)) as caught:
        make()
    assert api.writes == []
    return caught.value


def dry_runs_answer(answer: Answer, *, path: str = "") -> Callable[[Request], Answer | None]:
    return lambda request: answer if "dryRun" in request.query and path in request.path else None


def dry_runs(api: ApiServer) -> list[str]:
    return [request.path.rpartition("/")[2] for request in api.requests if "dryRun" in request.query]


# --- mistakes ------------------------------------------------------------------------------------------------------


def test_an_object_that_is_given_twice(api: ApiServer, cluster: Cluster) -> None:
    error = refusal(api, lambda: plan(cluster, config_map(), config_map(a="2")))
    assert error.message == "ConfigMap shop/web is given more than once, and not the same each time; keep one of them."


def test_an_object_that_is_given_twice_and_is_the_same_counts_once(cluster: Cluster) -> None:
    assert len(plan(cluster, config_map(a="1"), config_map(a="1")).changes) == 1


def test_an_object_without_the_namespace_that_it_needs(api: ApiServer, cluster: Cluster) -> None:
    error = refusal(api, lambda: plan(cluster, config_map(namespace="")))
    assert error.message == "ConfigMap web has no namespace; give it one."


def test_a_kind_that_the_cluster_does_not_know(api: ApiServer, cluster: Cluster) -> None:
    error = refusal(api, lambda: plan(cluster, shape()))
    assert has_facts(error.message, "kind Shape & example.com/v1 & not found")


@pytest.mark.parametrize("section", ["data", "stringData"])
def test_a_secret_that_is_no_text(api: ApiServer, cluster: Cluster, section: str) -> None:
    one = {**secret(), section: {"pin": 12345}}
    error = refusal(api, lambda: plan(cluster, one))
    assert has_facts(error.message, f"Secret shop/web & {section}.pin is a number, but must be text")


def workload(selector: Object | None, **labels: str) -> Object:
    template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
    return obj("apps/v1", "Deployment", "web", "new", spec={"template": template, **(selector or {})})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            workload(None, app="web", tier="front"),
            "spec.selector & apps/v1 & matchLabels & {app: web, tier: front}",
        ),
        (
            workload({"selector": {}}),
            "spec.selector & apps/v1 & matchLabels & pod template",
        ),
        (
            workload({"selector": {"matchLabels": {"app": "wep"}}}, app="web"),
            "selector & app: wep & pod template & app: web",
        ),
    ],
)
def test_a_workload_that_does_not_select_its_pods(
    api: ApiServer, cluster: Cluster, given: Object, sentence: str
) -> None:
    error = refusal(api, lambda: plan(cluster, namespace("new"), given))
    assert has_facts(error.message, f"Deployment new/web & {sentence}")


@pytest.mark.parametrize("path", ["", "spec..replicas", "spec.", "a[b", "a]b", "a[]"])
def test_what_is_no_path_of_a_field(api: ApiServer, cluster: Cluster, path: str) -> None:
    api.put(path_of(config_map()), config_map())
    unit = Unit(MANAGER, [config_map()], ignore_fields=[path])
    error = refusal(api, lambda: make_plan(cluster, unit))
    assert has_facts(error.message, f"'{path}' & path of a field")


def test_a_malformed_definition_is_left_to_the_server_to_refuse(cluster: Cluster) -> None:
    broken = obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", "broken")
    assert [change.action for change in plan(cluster, broken).changes] == ["create"]


# --- what the server would not accept ------------------------------------------------------------------------------

INVALID = status(422, "Invalid", 'ConfigMap "web" is invalid: data.a: Invalid value')


def test_a_pod_that_cannot_be_changed_any_more(api: ApiServer, cluster: Cluster) -> None:
    pod = obj("v1", "Pod", "web", "shop", spec={"containers": [{"name": "web", "image": "web:1"}]})
    api.put(path_of(pod), {**pod, "spec": {"containers": []}})
    said = (
        'Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`'
    )
    api.fault = dry_runs_answer(status(422, "Invalid", said))
    error = refusal(api, lambda: plan(cluster, pod))
    assert has_facts(error.message, "Pod shop/web & images & delete it")


def test_an_update_that_the_server_would_refuse(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map())
    api.fault = dry_runs_answer(INVALID)
    error = refusal(api, lambda: plan(cluster, config_map(a="2")))
    assert has_facts(error.message, 'ConfigMap shop/web: ConfigMap "web" is invalid: data.a: Invalid value.')
    assert error.details["status"] == 422


def test_a_creation_that_the_server_would_refuse(api: ApiServer, cluster: Cluster) -> None:
    api.fault = dry_runs_answer(INVALID, path="two")
    made = plan(cluster, config_map("one"), config_map("two"), config_map("three"))
    error = refusal(api, lambda: refuse_unacceptable(cluster, made))
    assert has_facts(error.message, "API server & ConfigMap shop/two: ")


def test_what_cannot_be_tried_yet_is_not_tried(api: ApiServer, cluster: Cluster) -> None:
    api.put("/api/v1/namespaces/there", namespace("there"))
    made = plan(
        cluster, namespace(), config_map("early"), config_map("tried", "there"), definition(), shape("a", "there")
    )
    refuse_unacceptable(cluster, made)
    assert sorted(dry_runs(api)) == ["shop", "tried"]


@pytest.mark.parametrize(
    ("message", "refused"),
    [('clusterroles.rbac.authorization.k8s.io "reader" not found', False), ('namespaces "shop" not found', True)],
)
def test_a_binding_may_name_a_role_of_the_same_plan(
    api: ApiServer, cluster: Cluster, message: str, refused: bool
) -> None:
    binding = obj("rbac.authorization.k8s.io/v1", "RoleBinding", "reader", "shop")
    api.fault = dry_runs_answer(status(404, "NotFound", message))
    made = plan(cluster, binding)
    if refused:
        assert message in refusal(api, lambda: refuse_unacceptable(cluster, made)).message
    else:
        refuse_unacceptable(cluster, made)


@pytest.mark.parametrize(("assumed", "refused"), [("shop", False), ("other", True)])
def test_a_namespace_that_a_step_before_only_planned_may_be_assumed(
    api: ApiServer, cluster: Cluster, assumed: str, refused: bool
) -> None:
    api.fault = dry_runs_answer(status(404, "NotFound", 'namespaces "shop" not found'))
    made = plan(cluster, config_map("one"))
    made.unit = replace(made.unit, assumed=frozenset({assumed}))
    if refused:
        assert 'namespaces "shop" not found' in refusal(api, lambda: refuse_unacceptable(cluster, made)).message
    else:
        refuse_unacceptable(cluster, made)


def test_a_role_that_grants_more_than_the_user_has(api: ApiServer, cluster: Cluster) -> None:
    api.fault = dry_runs_answer(status(403, "Forbidden", "user jane is attempting to grant RBAC permissions"))
    error = refusal(api, lambda: refuse_unacceptable(cluster, plan(cluster, cluster_role())))
    assert error.code == "forbidden"
    assert has_facts(error.message, "ClusterRole reader & grant the user 'escalate' and 'bind'")


# --- what the user may not do --------------------------------------------------------------------------------------


def test_all_missing_permissions_are_named_at_once(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map("old")), config_map("old"))
    api.forbidden = lambda attributes: attributes["verb"] == "patch" and attributes["resource"] != "namespaces"
    api.fault = dry_runs_answer(status(403, "Forbidden", "you may not patch"))
    made = plan(cluster, namespace(), config_map("old", a="2"), cluster_role())
    error = refusal(api, lambda: refuse_forbidden(cluster, made, waits=False, locking=Lock("mesh").access))
    assert has_facts(
        error.message,
        f"forbidden & {api.url} & patch clusterroles.rbac.authorization.k8s.io, patch configmaps in namespace shop,"
        " patch leases.coordination.k8s.io in namespace default",
    )


def test_who_may_do_a_thing_everywhere_is_not_asked_for_each_place(api: ApiServer, cluster: Cluster) -> None:
    many = plan(cluster, *(config_map(namespace=f"shop-{number}") for number in range(50)))
    api.requests.clear()
    api.forbidden = lambda attributes: attributes["verb"] == "delete"
    refuse_forbidden(cluster, many, waits=False)
    assert len(api.requests) == 1 + 2  # whether everything is allowed, and to create and to patch everywhere

    api.forbidden = lambda attributes: attributes["verb"] == "patch" and attributes.get("namespace") in (None, "shop-7")
    error = refusal(api, lambda: refuse_forbidden(cluster, many, waits=False))
    assert error.details["missing"] == ["patch configmaps in namespace shop-7"]


def test_an_administrator_is_asked_about_once(api: ApiServer, cluster: Cluster) -> None:
    many = plan(cluster, namespace(), config_map(), cluster_role())
    api.requests.clear()
    refuse_forbidden(cluster, many, waits=True, locking=Lock("mesh").access)
    assert len(api.requests) == 1


def missing(api: ApiServer, cluster: Cluster, unit: Unit, **denied: str) -> list[str]:
    """What is said to be missing, for a user who may not do what fits `denied`."""
    api.forbidden = lambda attributes: all(attributes.get(name) == value for name, value in denied.items())
    made = make_plan(cluster, unit)
    found: list[str] = refusal(api, lambda: refuse_forbidden(cluster, made, waits=True)).details["missing"]
    return found


def test_what_waiting_reads_is_asked_for_too(api: ApiServer, cluster: Cluster) -> None:
    service = Key("v1", "Service", "shop", "istiod")
    gated = Unit(MANAGER, [deployment()], gate=lambda obj: service)
    assert missing(api, cluster, gated, verb="watch") == [
        "watch deployments.apps in namespace shop",
        "watch endpointslices.discovery.k8s.io in namespace shop",
    ]
    definitions = Unit(MANAGER, [definition()])
    assert missing(api, cluster, definitions, verb="list") == ["list customresourcedefinitions.apiextensions.k8s.io"]


RULES = [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}]
ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"}


def test_who_may_not_grant_needs_what_is_granted(api: ApiServer, cluster: Cluster) -> None:
    role = obj("rbac.authorization.k8s.io/v1", "ClusterRole", "reader", rules=RULES)
    binding = obj("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "reader", roleRef=ROLE_REF, subjects=[])
    granting = Unit(MANAGER, [role, binding])
    may_not_grant = frozenset({"escalate", "bind"})

    api.forbidden = lambda attributes: attributes["verb"] in may_not_grant
    refuse_forbidden(cluster, make_plan(cluster, granting), waits=True)

    api.forbidden = lambda attributes: attributes["verb"] in may_not_grant or "subresource" in attributes
    made = make_plan(cluster, granting)
    error = refusal(api, lambda: refuse_forbidden(cluster, made, waits=True))
    assert error.details["missing"] == [
        "escalate clusterroles.rbac.authorization.k8s.io",
        "bind clusterroles.rbac.authorization.k8s.io",
    ]


def test_what_may_not_be_read_is_said_as_plainly(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: status(
        403,
        "Forbidden",
        'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the '
        'namespace "shop"',
    )
    with pytest.raises(MeshError) as caught:
        plan(cluster, deployment())
    assert has_facts(caught.value.message, "forbidden & user 'jane' & get deployments.apps in namespace shop & grant")
    assert (caught.value.code, caught.value.details["missing"]) == (
        "forbidden",
        ["get deployments.apps in namespace shop"],
    )


def test_a_refusal_that_is_no_matter_of_rights_is_still_one(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), config_map())
    api.fault = dry_runs_answer(status(403, "Forbidden", "exceeded quota"))
    made = plan(cluster, config_map(a="2"))
    refuse_forbidden(cluster, made, waits=False)
    assert "exceeded quota" in refusal(api, lambda: refuse_unacceptable(cluster, made)).message


# --- webhooks that do not answer -----------------------------------------------------------------------------------

DEAD = status(500, "InternalError", 'Internal error occurred: failed calling webhook "guard.example.com": refused')


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.meshops.istio.plugins.module_utils.kube.api.transport.BRIEFLY", 0.0)


@pytest.mark.usefixtures("impatient")
def test_a_webhook_that_does_not_answer_is_named(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map("old")), config_map("old"))
    api.fault = dry_runs_answer(DEAD)
    for made in (plan(cluster, config_map("new")), plan(cluster, config_map("old", a="2"))):
        error = refusal(api, lambda made=made: refuse_unacceptable(cluster, made))  # type: ignore[misc]
        assert has_facts(
            error.message, f'{made.changes[0].key} & webhook & failed calling webhook "guard.example.com": refused'
        )


@pytest.mark.usefixtures("impatient")
def test_a_webhook_that_the_plan_itself_mends_is_no_obstacle(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map("old")), config_map("old"))
    api.fault = dry_runs_answer(DEAD, path="configmaps")
    made = plan(cluster, config_map("old", a="2"), config_map("new"), validating_webhook())
    refuse_unacceptable(cluster, made)
    update = next(change for change in made.changes if change.action == "update")
    assert update.after
    assert update.after["data"] == {"a": "2"}


def test_a_binding_that_names_no_role_is_left_to_the_api_server(cluster: Cluster) -> None:
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        binding = obj("rbac.authorization.k8s.io/v1", kind, "web", "shop", subjects=[])
        refuse_forbidden(cluster, plan(cluster, binding, cluster_role()), waits=False)
