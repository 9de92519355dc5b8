# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that another tool or a controller keeps as it wants them are refused, and taken only by force."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.field_managers import PREVIOUS
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.foreign_owners import owner_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, path_of
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "pay", "meta.helm.sh/release-namespace": "shop"},
}
SAIL = {"apiVersion": "sailoperator.io/v1", "kind": "IstioRevision", "name": "prod", "uid": "1"}
REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "1", "controller": True}

OWNERS: dict[str, tuple[Object, str]] = {
    "helm": (HELM, "Helm (pay)"),
    "argo cd, by annotation": ({"annotations": {"argocd.argoproj.io/tracking-id": "pay:x"}}, "Argo CD (pay:x)"),
    "argo cd, by label": ({"labels": {"argocd.argoproj.io/instance": "pay"}}, "Argo CD (pay)"),
    "flux": ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (apps)"),
    "flux by helm": ({**HELM, "labels": {"helm.toolkit.fluxcd.io/name": "pay"}}, "Flux (pay)"),
    "kapp": ({"labels": {"kapp.k14s.io/app": "17"}}, "kapp (17)"),
    "sail": ({"ownerReferences": [SAIL]}, "the Sail operator (IstioRevision prod)"),
    "a controller": ({"ownerReferences": [REPLICA_SET]}, "its controller (ReplicaSet web-1)"),
}


def run(cluster: Cluster, *objects: Object, **more: Any) -> Outcome:
    unit = Unit(MANAGER, objects, **{"previous_managers": PREVIOUS, **more})
    return reconcile(cluster, unit, Settings(check=False, diff=False, wait=False, timeout=60, progress=silent))


def owned(metadata: Object, **data: str) -> Object:
    found = config_map(**data)
    found["metadata"].update(metadata)
    return found


CASES = [
    pytest.param(*OWNERS[name], absent, id=f"{'deleted' if absent else 'changed'}-{name}")
    for name in OWNERS
    for absent in (False, True)
    if not (absent and name == "a controller")
]


@pytest.mark.parametrize(("metadata", "owner", "absent"), CASES)
def test_what_belongs_to_another_is_refused_and_taken_only_by_force(
    api: ApiServer, cluster: Cluster, metadata: Object, owner: str, absent: bool
) -> None:
    path = path_of(config_map())
    api.put(path, owned(metadata, limit="1"), MANAGER if absent else "helm")
    wanted = [] if absent else [config_map(limit="5")]
    unit = {"stale": (lambda _cluster: api.objects) if absent else None}
    with pytest.raises(Refused, match="ConfigMap shop/web") as caught:
        run(cluster, *wanted, **unit)
    assert (caught.value.code, caught.value.details["owner"]) == ("foreign_owner", owner)
    assert owner in caught.value.message
    assert "force" in caught.value.message
    assert api.writes == []

    outcome = run(cluster, *wanted, force=True, **unit)
    assert [(one["action"], one["name"]) for one in outcome.changes] == [("delete" if absent else "update", "web")]
    [warning] = outcome.warnings
    assert has_facts(warning, f"ConfigMap shop/web & {owner} & force")
    assert absent or api.get(path)["data"] == {"limit": "5"}


@pytest.mark.parametrize("force", [False, True])
def test_what_a_controller_owns_is_never_deleted(api: ApiServer, cluster: Cluster, force: bool) -> None:
    api.put(path_of(config_map()), owned({"ownerReferences": [REPLICA_SET]}), MANAGER)
    assert run(cluster, stale=lambda _cluster: api.objects, force=force).changes == []


def test_what_is_not_changed_is_not_taken(api: ApiServer, cluster: Cluster) -> None:
    run(cluster, config_map(limit="5"))
    api.change(path_of(config_map()), "flux-adopter", metadata={"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}})
    api.requests.clear()
    assert run(cluster, config_map(limit="5")).changes == []
    with pytest.raises(Refused, match=facts_pattern("ConfigMap shop/web & Flux (apps)")):
        run(cluster, config_map(limit="6"))
    assert api.writes == []


def test_a_unit_takes_over_from_the_tools_that_it_names(api: ApiServer, cluster: Cluster) -> None:
    api.put(path_of(config_map()), owned(HELM, limit="1"), "helm")
    run(cluster, config_map(limit="5"), previous_owners=frozenset({"Helm"}))
    assert api.get(path_of(config_map()))["data"] == {"limit": "5"}


def test_marks_of_the_manifests_themselves_say_nothing(api: ApiServer, cluster: Cluster) -> None:
    # As in manifests that were exported from a cluster.
    exported = {**HELM, "ownerReferences": [REPLICA_SET]}
    run(cluster, owned(HELM, limit="1"))
    run(cluster, owned(HELM, limit="5"))
    assert api.get(path_of(config_map()))["data"] == {"limit": "5"}
    assert owner_of(owned(exported)) is not None
    assert owner_of(api.get(path_of(config_map())), MANAGER) is None
    assert owner_of(api.get(path_of(config_map())), "another") is not None


def test_a_common_label_is_argo_cds_only_where_argo_cd_has_applied_it(api: ApiServer) -> None:
    labelled = owned({"labels": {"app.kubernetes.io/instance": "pay"}})
    assert owner_of(labelled) is None
    api.put(path_of(config_map()), labelled, "argocd-controller")
    assert str(owner_of(api.get(path_of(config_map())))) == "Argo CD (pay)"


def test_what_the_addon_manager_only_creates_is_free(api: ApiServer) -> None:
    assert owner_of(owned({"labels": {"addonmanager.kubernetes.io/mode": "EnsureExists"}})) is None
    assert owner_of(owned({"labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}})) is not None
