# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces are labelled into and out of the mesh, and only where something differs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.injection.namespaces import (
    unit,
    wanted_labels,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Access
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.reconcile import Outcome, reconcile
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.settings import Settings
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, make, namespace
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

NAMESPACE = Kind("v1", "Namespace")
ENABLED = wanted_labels("enabled")


def label(cluster: MemoryCluster, *names: str, wanted: Any = None, **options: Any) -> Outcome:
    given = {name: options.pop(name) for name in ("create", "force") if name in options}
    labelled = unit(names, ENABLED if wanted is None else wanted, **{"create": False, **given})
    return reconcile(cluster, labelled, Settings(timeout=5, wait=False, **options))


def labels(cluster: MemoryCluster, name: str) -> dict[str, str]:
    found = cluster.get(NAMESPACE, name)
    assert found is not None
    return dict(found["metadata"].get("labels") or {})


def test_a_namespace_is_labelled_once() -> None:
    cluster = MemoryCluster(namespace("shop", team="blue"))
    assert label(cluster, "shop").changed
    assert labels(cluster, "shop") == {"team": "blue", "istio-injection": "enabled"}
    assert cluster.writes == [("patch", Key("v1", "Namespace", "", "shop"), "meshops.istio/injection")]
    again = label(cluster, "shop")
    assert (again.changed, again.changes) == (False, [])
    assert len(cluster.writes) == 1


def test_check_mode_tells_and_writes_nothing() -> None:
    cluster = MemoryCluster(namespace("shop"))
    outcome = label(cluster, "shop", check=True, diff=True)
    assert [change["action"] for change in outcome.changes] == ["update"]
    assert "+    istio-injection: enabled" in outcome.diff[0]["prepared"]
    assert cluster.writes == []


def labelled(manager: str, **given: str) -> dict[str, Any]:
    """The namespace shop with these labels, which the manager has set; an underscore in names stands for a dash."""
    names = {key.replace("_", "-"): value for key, value in given.items()}
    fields: dict[str, Any] = {"f:metadata": {"f:labels": {f"f:{name}": {} for name in wanted_labels("enabled")}}}
    entry = {"manager": manager, "operation": "Update", "fieldsV1": fields}
    return make("Namespace", "shop", labels=names, metadata={"managedFields": [entry]})


OURS, THEIRS = "meshops.istio/injection", "kubectl-label"


def test_one_way_of_injecting_replaces_the_other() -> None:
    cluster = MemoryCluster(labelled(OURS, **{"istio-injection": "enabled", "istio.io/rev": "old"}))
    label(cluster, "shop", wanted=wanted_labels("revision", "canary"))
    assert labels(cluster, "shop") == {"istio.io/rev": "canary"}
    label(cluster, "shop", wanted=wanted_labels("ambient"))
    assert labels(cluster, "shop") == {"istio.io/dataplane-mode": "ambient"}
    label(cluster, "shop", wanted=wanted_labels("enabled", present=False))
    assert labels(cluster, "shop") == {}


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        ({"istio_injection": "enabled"}, ("revision", "canary"), "istio-injection=enabled, "),
        ({"istio_injection": "disabled"}, ("revision", "canary"), "istio-injection=disabled, "),
        ({"istio.io/rev": "canary"}, ("enabled", ""), "istio.io/rev=canary, "),
        ({"istio_injection": "enabled", "istio.io/rev": "canary"}, ("enabled", ""), "istio.io/rev=canary, "),
        ({"istio.io/dataplane-mode": "ambient"}, ("enabled", ""), "istio.io/dataplane-mode=ambient, "),
    ],
)
def test_labels_of_others_that_contradict_are_refused(
    given: dict[str, str], wanted: tuple[str, str], words: str
) -> None:
    cluster = MemoryCluster(namespace("bank"), labelled(THEIRS, **given))
    for check in (True, False):
        with pytest.raises(Refused) as caught:
            label(cluster, "bank", "shop", wanted=wanted_labels(*wanted), check=check)
        assert caught.value.code == "contradicting_labels"
        assert caught.value.message.startswith(f"The namespace shop has the label {words}which somebody else has set")
    assert cluster.writes == []
    label(cluster, "shop", wanted=wanted_labels(*wanted), force=True)
    assert labels(cluster, "shop") == {key: value for key, value in wanted_labels(*wanted).items() if value}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"istio_injection": "disabled"}, ("enabled", "")),
        ({"istio.io/rev": "old"}, ("revision", "canary")),
        ({"istio.io/rev": "default"}, ("enabled", "")),
        ({"istio.io/dataplane-mode": "none"}, ("enabled", "")),
    ],
)
def test_labels_with_another_value_or_the_same_meaning_are_replaced(
    given: dict[str, str], wanted: tuple[str, str]
) -> None:
    cluster = MemoryCluster(labelled(THEIRS, **given))
    assert label(cluster, "shop", wanted=wanted_labels(*wanted)).changed
    label(cluster, "shop", wanted=wanted_labels("enabled", present=False))
    assert labels(cluster, "shop") == {}


def test_missing_namespaces_are_refused_before_any_write() -> None:
    cluster = MemoryCluster(namespace("shop"))
    with pytest.raises(Refused) as caught:
        label(cluster, "shop", "one", "two")
    assert [fact for fact in ("one, two", "not found", "create_namespaces") if fact not in caught.value.message] == []
    assert cluster.writes == []


def test_missing_namespaces_are_created_when_asked() -> None:
    cluster = MemoryCluster()
    outcome = label(cluster, "shop", "shop", create=True)
    assert [(change["action"], change["name"]) for change in outcome.changes] == [("create", "shop")]
    assert labels(cluster, "shop") == {"istio-injection": "enabled"}


def test_taking_labels_off_a_namespace_that_is_not_there() -> None:
    cluster = MemoryCluster()
    assert not label(cluster, "shop", wanted=wanted_labels("enabled", present=False), create=True).changed
    assert cluster.writes == []


@pytest.mark.parametrize(("mode", "revision"), [("on", ""), ("revision", ""), ("enabled", "canary")])
def test_modes_that_mean_nothing(mode: str, revision: str) -> None:
    with pytest.raises(InvalidInput):
        wanted_labels(mode, revision)


def test_what_the_user_may_not_do_is_refused_before_any_write() -> None:
    cluster = MemoryCluster(namespace("shop"))
    cluster.denied_accesses = {Access("create", "", "namespaces")}
    for check in (True, False):
        with pytest.raises(Refused, match=facts_pattern("forbidden & create namespaces & grant")):
            label(cluster, "shop", "new", create=True, check=check)
    assert cluster.writes == []
