# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take-over from every way in: what only another tool wanted goes, or it is said what remains and whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.field_managers import (
    EDITORS,
    INSTALLERS,
    PREVIOUS,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map, deployment, namespace, path_of

Object = dict[str, Any]

MANAGER = "meshops.istio/test"
PATH = path_of(config_map())
SUFFIXED = ("pulumi-kubernetes-1a2b3c4d", "terraform-provider-helm_v2.12.1_x5")


def run(cluster: Cluster, *objects: Object, **more: Any) -> Outcome:
    unit = Unit(MANAGER, objects, **{"previous_managers": PREVIOUS, **more})
    return reconcile(cluster, unit, Settings(check=False, diff=False, wait=False, timeout=60, progress=silent))


@pytest.mark.parametrize("manager", [*sorted(PREVIOUS), *SUFFIXED])
@pytest.mark.parametrize("operation", ["Update", "Apply"])
def test_fields_of_another_tool_only_are_removed(
    api: ApiServer, cluster: Cluster, manager: str, operation: str
) -> None:
    old = config_map(level="debug", old="1")
    if operation == "Apply":
        cluster.apply(old, manager=manager)
    else:
        api.put(PATH, old, manager)
    outcome = run(cluster, config_map(level="info"))
    assert (outcome.changed, outcome.warnings) == (True, [])
    assert api.get(PATH)["data"] == {"level": "info"}
    assert [one["manager"] for one in api.get(PATH)["metadata"]["managedFields"]] == [MANAGER]
    assert run(cluster, config_map(level="info")).changes == []


@pytest.mark.parametrize("manager", sorted(INSTALLERS))
def test_what_an_installer_adds_later_goes_too(api: ApiServer, cluster: Cluster, manager: str) -> None:
    run(cluster, config_map(level="info"))
    api.change(PATH, manager, data={"old": "1"})
    run(cluster, config_map(level="info"))
    assert api.get(PATH)["data"] == {"level": "info"}


@pytest.mark.parametrize("manager", [*sorted(EDITORS), *SUFFIXED])
def test_what_an_editor_adds_later_is_its_own(api: ApiServer, cluster: Cluster, manager: str) -> None:
    # Such as an annotation that the next task of a playbook sets.
    run(cluster, config_map(level="info"))
    api.change(PATH, manager, metadata={"annotations": {"example.com/team": "red"}})
    outcome = run(cluster, config_map(level="info"))
    assert (outcome.changes, outcome.warnings) == ([], [])


@pytest.mark.parametrize("manager", ["OpenAPI-Generator", "deployer"])
def test_what_remains_of_an_installation_is_said(api: ApiServer, cluster: Cluster, manager: str) -> None:
    # Ours already, as after a take-over by an earlier version, or put there by a tool that is not known.
    cluster.apply(config_map(level="info"), manager=MANAGER)
    cluster.apply(config_map(level="info", old="1"), manager=manager)
    outcome = run(cluster, config_map(level="info"))
    assert outcome.changes == []
    [warning] = outcome.warnings
    for part in ("ConfigMap shop/web", "data.old", manager):
        assert part in warning
    assert "data.level" not in warning
    assert run(cluster, config_map(level="info"), ignore_fields=["data.old"]).warnings == []


def test_what_controllers_need_stays(api: ApiServer, cluster: Cluster) -> None:
    old = deployment(replicas=1)
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    old["spec"]["template"] = {"metadata": {"annotations": {**restarted, "old": "1"}}}
    old["metadata"].update(finalizers=["example.com/cleanup"], annotations={"old": "1"})
    api.put(path_of(old), old, "kubectl-client-side-apply")
    run(cluster, deployment(replicas=1))
    live = api.get(path_of(old))
    assert live["metadata"]["finalizers"] == ["example.com/cleanup"]
    assert "annotations" not in live["metadata"]
    assert live["spec"]["template"] == {"metadata": {"annotations": restarted}}
    assert run(cluster, deployment(replicas=1)).changes == []


def test_a_namespace_keeps_what_others_have_said_of_it(api: ApiServer, cluster: Cluster) -> None:
    enforced = {"pod-security.kubernetes.io/enforce": "privileged"}
    api.put(path_of(namespace()), namespace(**enforced), "OpenAPI-Generator")
    run(cluster, namespace(team="red"))
    assert api.get(path_of(namespace()))["metadata"]["labels"] == {**enforced, "team": "red"}
    assert run(cluster, namespace(team="red")).changes == []


def test_ignored_fields_are_not_taken_over(api: ApiServer, cluster: Cluster) -> None:
    api.put(PATH, config_map(level="debug", theirs="1", old="1"), "helm")
    ignored = ["data.theirs"]
    run(cluster, config_map(level="info"), ignore_fields=ignored)
    assert api.get(PATH)["data"] == {"level": "info", "theirs": "1"}
    assert run(cluster, config_map(level="info"), ignore_fields=ignored).changes == []
