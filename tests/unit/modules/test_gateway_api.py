# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes' Gateway API: brought where it lacks, and otherwise left to whom it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import definition
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

GROUP = "gateway.networking.k8s.io"
PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.{GROUP}"


def gateways(version: str) -> dict[str, Any]:
    made = definition("Gateway", GROUP)
    made["metadata"]["annotations"] = {f"{GROUP}/bundle-version": version, f"{GROUP}/channel": "standard"}
    return made


@pytest.fixture
def release(tmp_path: Path) -> Any:
    """Puts a version's manifests into a file."""

    def release(version: str) -> dict[str, Any]:
        path = tmp_path / f"{version}.yaml"
        path.write_text(yaml.safe_dump(gateways(version)))
        return {"src": [str(path)], "wait": False}

    return release


def test_missing_crds_are_installed_and_a_second_run_writes_nothing(api: ApiServer, on_api: Run, release: Any) -> None:
    planned = on_api("gateway_api", **release("v1.4.0"), check=True)
    assert ([change["action"] for change in planned["changes"]], api.writes) == (["create"], [])
    done = on_api("gateway_api", **release("v1.4.0"))
    assert (done["version"], done["channel"], done["managed"], done["changed"]) == ("v1.4.0", "standard", True, True)
    written = api.writes
    assert (on_api("gateway_api", **release("v1.4.0"))["changed"], api.writes) == (False, written)


def test_crds_of_another_installer_are_kept_and_nothing_is_downloaded(api: ApiServer, on_api: Run) -> None:
    api.put(PATH, gateways("v1.2.1"))
    left = on_api("gateway_api", src=["/nowhere/standard-install.yaml"])
    assert (left["changed"], left["version"], left["managed"], api.writes) == (False, "v1.2.1", False, [])


def test_what_was_installed_here_becomes_newer_and_never_older(api: ApiServer, on_api: Run, release: Any) -> None:
    on_api("gateway_api", **release("v1.4.0"))
    assert on_api("gateway_api", **release("v1.10.0"))["version"] == "v1.10.0"
    written = api.writes
    kept = on_api("gateway_api", **release("v1.4.0"))
    assert (kept["changed"], kept["version"], kept["managed"], api.writes) == (False, "v1.10.0", True, written)


@pytest.mark.parametrize(
    ("istio", "version"), [("1.29.1", "v1.4.0"), ("1.30.4", "v1.5.1"), ("1.31.0", "v1.6.0"), (None, "v1.6.0")]
)
def test_by_default_it_is_the_version_of_the_istio_release(on_api: Run, istio: str | None, version: str) -> None:
    given = {"istio_version": istio} if istio else {}
    refused = on_api("gateway_api", download_proxy="http://127.0.0.1:9", download_timeout=5, **given)
    assert f"/{version}/standard-install.yaml" in refused["msg"]


def test_the_version_of_an_old_istio_is_not_guessed(api: ApiServer, on_api: Run) -> None:
    refused = on_api("gateway_api", istio_version="1.17.0")
    assert has_facts(refused["msg"], "Istio 1.17.0 & not known & Set version")
    data = {"releases": {"1.17": {"gateway_api": "v0.6.1"}}}
    refused = on_api("gateway_api", istio_version="1.17.0", release_data=[data], download_proxy="http://127.0.0.1:9")
    assert "/v0.6.1/" in refused["msg"]
    assert api.writes == []


@pytest.mark.parametrize(
    ("istio", "there", "kinds", "ignored"),
    [
        ("1.30.4", "v1.4.0", ["TLSRoute", "TCPRoute"], ["TLSRoute"]),
        ("1.31.0", "v1.5.1", ["TLSRoute", "TCPRoute"], ["TCPRoute"]),
        ("1.31.0", "v1.5.1", ["TLSRoute"], []),
        ("1.31.0", "v1.6.0", ["TLSRoute", "TCPRoute"], []),
        ("1.29.1", "v1.5.0", ["TLSRoute"], ["TLSRoute"]),
    ],
)
def test_kinds_that_istiod_ignores_are_named(
    api: ApiServer, on_api: Run, istio: str, there: str, kinds: list[str], ignored: list[str]
) -> None:
    api.put(PATH, gateways(there))
    for kind in kinds:
        api.put(PATH.replace("gateways", f"{kind.lower()}s"), definition(kind, GROUP))
    warned = on_api("gateway_api", istio_version=istio)["warnings"]
    assert len(warned) == len(ignored)
    assert all(has_facts(one, f"{istio} & {kind} & {there}") for one, kind in zip(warned, ignored, strict=True))


def test_manifests_of_something_else(api: ApiServer, on_api: Run, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(definition()))
    refused = on_api("gateway_api", src=[str(tmp_path / "other.yaml")])
    assert (refused["code"], api.writes) == ("invalid_input", [])
    assert has_facts(refused["msg"], "Gateway API & not found")


@pytest.mark.parametrize("version", ["latest", "1.4.0", "v1.4"])
def test_a_version_is_exact(api: ApiServer, on_api: Run, version: str) -> None:
    refused = on_api("gateway_api", version=version)
    assert (refused["code"], api.writes) == ("invalid_input", [])
    assert has_facts(refused["msg"], f"Gateway API & '{version}' & exact version & v1.4.0")
