# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules report the support of a release, and with security=strict refuse it before the first write."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import support
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

OLD = "ISTIO-SECURITY-2026-003 & ISTIO-SECURITY-2026-004 & ISTIO-SECURITY-2026-006 & 1.29.7 & Upgrade to"


@pytest.fixture(autouse=True)
def _today(_day: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "today", lambda: date(2026, 11, 30))


def options(made: MadeRelease, **given: Any) -> dict[str, Any]:
    return {"version": "1.29.1", "source": [str(made.root)], **given}


def istiod(hub: str, version: str = "1.29.1") -> dict[str, Any]:
    containers = [{"name": "discovery", "image": f"{hub}/pilot:{version}"}]
    template = {"metadata": {"labels": {"app": "istiod"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "istiod"}}, "template": template}
    return deployment("istiod", "istio-system", labels={"app": "istiod", "istio.io/rev": "default"}, spec=spec)


def test_a_control_plane_out_of_support_is_installed_with_warnings(on_api: Run, made: MadeRelease) -> None:
    made.renders(istiod("registry.istio.io/release"))
    done = on_api("control_plane", **options(made, wait=False))
    assert done["changed"]
    found = [one["code"] for one in done["findings"]]
    assert found == ["end_of_life", *["security_bulletin"] * 3, "retired_registry"]
    assert sum(has_facts(one, OLD) for one in done["warnings"]) == 1
    assert sum(has_facts(one, "1.29.1 & out of support since 2026-10-12") for one in done["warnings"]) == 1
    assert sum(has_facts(one, "registry.istio.io/release & docker.io/istio") for one in done["warnings"]) == 1


def test_with_strict_nothing_is_written(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(istiod("docker.io/istio"))
    refused = on_api("control_plane", **options(made, security="strict"))
    assert has_facts(refused["msg"], f"Istio 1.29.1 & 2026-10-12 & {OLD} & mesh_security")
    assert (refused["code"], api.writes) == ("end_of_life", [])


def test_with_ignore_nothing_is_checked(on_api: Run, made: MadeRelease) -> None:
    made.renders(istiod("registry.istio.io/release"))
    done = on_api("control_plane", **options(made, security="ignore", wait=False))
    assert (done["findings"], done["warnings"]) == ([], [])


def test_newer_data_decides(on_api: Run, made: MadeRelease, tmp_path: Path) -> None:
    made.renders(istiod("docker.io/istio"))
    path = tmp_path / "releases.yml"
    path.write_text("releases: {'1.29': {end_of_life: 2026-12-24}}", encoding="utf-8")
    done = on_api("control_plane", **options(made, wait=False, release_data=[str(path)], end_of_life_days=24))
    assert done["findings"][0]["code"] == "end_of_life_near"
    refused = on_api("control_plane", **options(made, release_data=["/nowhere.yml"]))
    assert has_facts(refused["msg"], "/nowhere.yml & not found")
    refused = on_api("control_plane", **options(made, end_of_life_days=-1))
    assert has_facts(refused["msg"], "end_of_life_days -1 & 0 or more")


@pytest.mark.parametrize(("security", "level"), [("warn", "warning"), ("strict", "error")])
def test_a_precheck_reports_the_release(security: str, level: str, on: Run, made: MadeRelease) -> None:
    values = "global:\n  hub: registry.istio.io/release\n"
    made.write("manifests/charts/istio-control/istio-discovery/values.yaml", values)
    found = on(MemoryCluster(), "precheck", **options(made, security=security))
    levels = {one["origin"]: one["level"] for one in found["messages"]}
    assert levels == {
        "the release": level,
        **{f"ISTIO-SECURITY-2026-{number}": level for number in ("003", "004", "006")},
        "registry.istio.io/release": "warning",
    }
    assert found.get("failed", False) == (security == "strict")


def test_a_bulletin_can_be_accepted_in_a_precheck(on: Run, made: MadeRelease) -> None:
    accepted = ["end_of_life", "security_bulletin=ISTIO-SECURITY-2026-00[34]"]
    given = options(made, security="strict", tolerate=accepted, hub="registry.example.com/istio")
    refused = on(MemoryCluster(), "precheck", **given)
    assert has_facts(refused["msg"], "ISTIO-SECURITY-2026-006 & 1.29.7")
    accepted.append("security_bulletin=ISTIO-SECURITY-2026-006")
    assert on(MemoryCluster(), "precheck", **given)["ok"]


@pytest.mark.parametrize(
    ("hub", "version", "codes"),
    [("registry.istio.io/release", "1.30.8", ["retired_registry"]), ("docker.io/istio", "1.31.4", [])],
)
def test_installed_control_planes_are_checked(
    hub: str, version: str, codes: list[str], api: ApiServer, on_api: Run
) -> None:
    api.put("/apis/apps/v1/namespaces/istio-system/deployments/istiod", istiod(hub, version))
    found = on_api("control_plane_info")["findings"]
    assert [(one["code"], one["release"]) for one in found] == [(code, version) for code in codes]
