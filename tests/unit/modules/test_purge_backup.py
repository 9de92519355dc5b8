# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge removes nothing that it has not saved: places that cannot be written to, and resources that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request, status
from ansible_collections.meshops.istio.tests.support.memory_cluster import make
from ansible_collections.meshops.istio.tests.support.modules import Run

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GATEWAY = make("Gateway", "web", "shop", api="networking.istio.io/v1", spec={"selector": {"release": "1e3"}})
PURGE: dict[str, Any] = {"state": "absent", "purge": True, "wait": False}


def definition(*versions: dict[str, Any], plural: str = "gateways", kind: str = "Gateway") -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.networking.istio.io", "labels": {"operator.istio.io/component": "Base"}},
        "spec": {
            "group": "networking.istio.io",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": list(versions),
        },
    }


def serving(version: str, answer: Answer | None = None) -> Callable[[Request], Answer | None]:
    """Answer to lists of Gateways at a version: with GATEWAY, or as it is said."""
    listed = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": [GATEWAY]}
    path = f"/apis/networking.istio.io/{version}/gateways"
    return lambda request: (answer or Answer(200, listed)) if request.path == path else None


@pytest.fixture
def users(api: ApiServer) -> ApiServer:
    """A cluster with a user's Gateway."""
    api.put(f"{CRDS}/gateways.networking.istio.io", definition({"name": "v1", "storage": True, "served": True}))
    api.fault = serving("v1")
    return api


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("place", ["a file", "in a file", "a folder", "nobody's"])
def test_a_place_that_cannot_be_written_to_is_refused_before_the_first_write(
    place: str, check: bool, users: ApiServer, on_api: Run, tmp_path: Path
) -> None:
    file = tmp_path / "kept.yaml"
    file.write_text("the only copy")
    places = {"a file": file, "in a file": file / "backup.yaml", "a folder": tmp_path, "nobody's": Path("/proc/backup")}
    refused = on_api("control_plane", **PURGE, backup=str(places[place]), check=check)
    assert (refused["code"], users.writes) == ("backup_failed", [])
    assert str(places[place]) in refused["msg"]
    assert file.read_text() == "the only copy"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".meshops")] == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("code", [403, 404, 500])
def test_what_cannot_be_listed_is_not_nothing(
    code: int, check: bool, users: ApiServer, on_api: Run, tmp_path: Path
) -> None:
    limit = 5 if code == 500 else 300  # what a server may get over is asked for again
    users.fault = serving("v1", status(code, "Forbidden" if code == 403 else ""))
    refused = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"), wait_timeout=limit, check=check)
    assert (refused["code"], users.writes) == ("backup_failed", [])
    assert "gateways.networking.istio.io" in refused["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_all_kinds_that_may_not_be_listed_are_named_at_once(
    check: bool, users: ApiServer, on_api: Run, tmp_path: Path
) -> None:
    for plural, kind in (("telemetries", "Telemetry"), ("sidecars", "Sidecar")):
        served = definition({"name": "v1", "storage": True, "served": True}, plural=plural, kind=kind)
        users.put(f"{CRDS}/{plural}.networking.istio.io", served)
    users.forbidden = lambda asked: asked["resource"] != "gateways" and asked["verb"] in ("list", "*")
    refused = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"), check=check)
    assert (refused["code"], users.writes) == ("forbidden", [])
    assert {"list telemetries.networking.istio.io", "list sidecars.networking.istio.io"} <= set(
        refused["details"]["missing"]
    )
    assert not (tmp_path / "b.yaml").exists()


def test_a_definition_that_serves_no_version_is_refused(users: ApiServer, on_api: Run, tmp_path: Path) -> None:
    users.put(f"{CRDS}/gateways.networking.istio.io", definition({"name": "v1", "storage": True, "served": False}))
    refused = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"))
    assert (refused["code"], users.writes) == ("backup_failed", [])


def test_a_version_that_is_only_stored_is_read_as_another(users: ApiServer, on_api: Run, tmp_path: Path) -> None:
    versions = [{"name": "v1alpha3", "storage": True, "served": False}, {"name": "v1", "served": True}]
    users.put(f"{CRDS}/gateways.networking.istio.io", definition(*versions))
    assert on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"))["backup_file"] == str(tmp_path / "b.yaml")


def test_texts_stay_texts_for_each_reader(users: ApiServer, on_api: Run, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "backup.yaml"
    done = on_api("control_plane", **PURGE, backup=str(file))
    assert done["changed"]
    assert yaml.safe_load(file.read_text()) == GATEWAY
    assert re.search(r"release: ['\"]1e3['\"]", file.read_text())


def test_a_purge_that_fails_later_says_where_it_has_saved(users: ApiServer, on_api: Run, tmp_path: Path) -> None:
    saving = users.fault

    def fault(request: Request) -> Answer | None:
        return status(403, "Forbidden", "no") if request.method == "DELETE" and request.writes else saving(request)

    users.fault = fault
    failed = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"))
    assert failed["details"]["backup_file"] == str(tmp_path / "b.yaml")
    assert (tmp_path / "b.yaml").exists()


def test_a_job_of_awx_names_a_file_that_outlives_it(
    users: ApiServer, on_api: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
    refused = on_api("control_plane", **PURGE)
    assert (refused["code"], users.writes) == ("backup_lost", [])
    assert "mesh_purge_backup" in refused["msg"]
    assert on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"))["changed"]


MARKED = {"meshops.istio/prune": "disabled"}


@pytest.mark.parametrize("check", [True, False])
def test_an_annotated_definition_is_kept_with_its_resources(
    check: bool, users: ApiServer, on_api: Run, tmp_path: Path
) -> None:
    marked = definition({"name": "v1", "storage": True, "served": True})
    marked["metadata"]["annotations"] = {**MARKED, "helm.sh/resource-policy": "keep"}
    users.put(f"{CRDS}/gateways.networking.istio.io", marked)
    done = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"), check=check)
    assert (done["changed"], done["resources"], users.writes) == (False, [], [])
    assert [one["name"] for one in done["kept"]] == ["gateways.networking.istio.io"]
    assert "meshops.istio/prune" in done["kept"][0]["reason"]
    assert [warning for warning in done["warnings"] if "gateways.networking.istio.io" in warning]


def test_helm_s_word_is_overruled_by_a_purge(users: ApiServer, on_api: Run, tmp_path: Path) -> None:
    marked = definition({"name": "v1", "storage": True, "served": True})
    marked["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    users.put(f"{CRDS}/gateways.networking.istio.io", marked)
    done = on_api("control_plane", **PURGE, backup=str(tmp_path / "b.yaml"))
    assert (done["kept"], len(done["resources"])) == ([], 1)
