# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mesh: the parts of a mesh in one process, planned as their modules plan them, then applied as they were planned."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"password": "swordfish1"},
}
NAMED = {"name": "shop", "namespace": "shop"}
SHOP = {"name": "shop", "namespace": "shop", "definition": [SETTINGS]}


def options(made: MadeRelease, *parts: str, **given: Any) -> dict[str, Any]:
    return {
        "parts": list(parts),
        "release": {"version": "1.29.1", "source": [str(made.root)]},
        "injection": {"namespaces": ["shop"]},
        "applications": [SHOP],
        **given,
    }


def test_a_plan_has_the_changes_of_all_parts_and_writes_nothing(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    found = on_api("mesh", check=True, **options(made, "injection", "applications"))
    assert not found.get("failed"), found["msg"]
    assert [(change["action"], change["kind"], change["name"]) for change in found["changes"]] == [
        ("update", "Namespace", "shop"),
        ("create", "ConfigMap", "settings"),
    ]
    assert (found["due"], found["changed"], api.writes) == (["injection", "applications"], True, [])
    assert [one["namespace"] for one in found["parts"]["applications"]] == ["shop"]


def test_a_part_is_planned_as_its_module_plans_it(on_api: Run, made: MadeRelease) -> None:
    alone = on_api("application", check=True, **SHOP)
    (part,) = on_api("mesh", check=True, **options(made, "applications"))["parts"]["applications"]
    assert (part["changes"], part["plan_digest"]) == (alone["changes"], alone["plan_digest"])


def test_a_plan_is_applied_and_a_second_run_writes_nothing(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    mesh = options(made, "injection", "restart", "applications", restart={"namespaces": ["shop"]})
    planned = on_api("mesh", check=True, diff=True, **mesh)
    first = on_api("mesh", diff=True, **mesh)
    assert not first.get("failed"), first["msg"]
    assert (first["changes"], first["changed"], first["diff"]) == (planned["changes"], True, planned["diff"])
    assert api.get("/api/v1/namespaces/shop/configmaps/settings")["data"] == SETTINGS["data"]
    assert [one["name"] for one in first["state"]["namespaces"] if one["injection"] == "enabled"] == ["shop"]
    done = len(api.writes)
    found = on_api("mesh", **mesh)
    assert (found["due"], found["changes"], found["changed"]) == ([], [], False)
    assert len(api.writes) == done
    assert "shop" in [one["name"] for one in found["state"]["namespaces"]]


def test_only_the_approved_plan_is_accepted(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    digest = on_api("mesh", check=True, **options(made, "injection"))["plan_digest"]
    other = {**options(made, "injection", plan_digest=digest), "injection": {"namespaces": ["default"]}}
    assert on_api("mesh", **other)["code"] == "plan_changed"
    assert api.writes == []
    assert on_api("mesh", **options(made, "injection", plan_digest=digest))["changed"]


def test_a_removal_takes_the_parts_in_their_order(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    on_api("mesh", **options(made, "injection", "applications"))
    gone = {**options(made, "applications", "injection", "control_plane"), "state": "absent", "applications": [NAMED]}
    planned = on_api("mesh", check=True, **gone)
    begun = len(api.writes)
    removed = on_api("mesh", **gone)
    assert not removed.get("failed"), removed["msg"]
    assert removed["changes"] == planned["changes"]
    assert [one for one in api.writes[begun:] if "leases" not in one and "inventory" not in one] == [
        "DELETE /api/v1/namespaces/shop/configmaps/settings",
        "DELETE /api/v1/namespaces/shop/configmaps/meshops-istio.application.shop",
        "PATCH /api/v1/namespaces/shop",
    ]
    again = on_api("mesh", **gone)
    assert (again["due"], again["changed"]) == ([], False)


def test_a_part_that_is_kept_is_only_listed(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    on_api("mesh", **options(made, "applications"))
    begun = len(api.writes)
    gone = {**options(made, "applications"), "state": "absent", "applications": [NAMED], "keep": ["applications"]}
    removed = on_api("mesh", **gone)
    assert (removed["changes"], removed["changed"], len(api.writes)) == ([], False, begun)
    assert [change["name"] for change in removed["parts"]["applications"][0]["changes"]] == ["settings"]


def test_a_failure_names_its_part_and_what_was_done(on_api: Run, api: ApiServer, made: MadeRelease) -> None:
    units = [
        {**SHOP, "name": name, "definition": [{**SETTINGS, "metadata": {"name": name}}]} for name in ("a", "b", "c")
    ]

    def full(request: Request) -> Answer | None:
        written = request.method == "PATCH" and request.path.endswith("/b") and "dryRun" not in request.query
        return status(507, "InsufficientStorage", "etcd is full") if written else None

    api.fault = full
    failed = on_api("mesh", **{**options(made, "injection", "applications"), "applications": units})
    assert has_facts(failed["msg"], "application b & etcd is full & Applied & injection & application a & Not applied")
    assert (failed["details"]["part"], failed["changed"]) == ("application b", True)
    names = [obj["metadata"]["name"] for obj in api.objects if obj["kind"] == "ConfigMap"]
    assert ("a" in names, "b" in names, "c" in names) == (True, False, False)


@pytest.mark.parametrize(
    ("wrong", "facts"),
    [
        ({"applications": [{"name": "shop", "nmae": "x"}]}, "application shop & nmae"),
        ({"injection": {"namespaces": ["Shop_1"]}}, "Shop_1"),
        ({"injection": {}}, "injection & namespaces"),
    ],
    ids=["unknown", "name", "missing"],
)
def test_wrong_options_of_a_part_are_refused(
    wrong: dict[str, Any], facts: str, on_api: Run, api: ApiServer, made: MadeRelease
) -> None:
    refused = on_api("mesh", **options(made, "injection", "applications", **wrong))
    assert refused["code"] in ("invalid_input", "invalid_name")
    assert has_facts(refused["msg"], facts)
    assert api.writes == []


def test_secrets_of_parts_are_nowhere(on_api: Run, made: MadeRelease) -> None:
    release = {"version": "1.29.1", "source": [str(made.root)], "download_headers": {"X-Key": "hunter2-of-mirror"}}
    found = on_api("mesh", check=True, verbosity=3, diff=True, **options(made, "applications", release=release))
    assert not found.get("failed"), found["msg"]
    assert "hunter2-of-mirror" not in str(found)
    assert "swordfish1" not in str(found["invocation"])


def test_a_failure_that_is_allowed_comes_with_the_state(on_api: Run, made: MadeRelease) -> None:
    missing = {"version": "1.2.3", "source": [str(made.root)]}
    refused = on_api("mesh", **options(made, "applications", release=missing))
    assert has_facts(refused["msg"], "1.2.3 & not found")
    found = on_api("mesh", **options(made, "applications", release=missing, allow_failure=True))
    assert has_facts(found["failure"], "1.2.3 & not found")
    assert found["due"] == []
    assert "shop" in [one["name"] for one in found["state"]["namespaces"]]
