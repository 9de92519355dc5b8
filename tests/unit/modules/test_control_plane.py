# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases and control planes: what is refused before the first write, and what is made of the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.descriptors import MESH_CONFIG
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, injector, make, pod
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease


def rendered(**spec: Any) -> list[dict[str, Any]]:
    """What istioctl prints here for a control plane: enough to see it through."""
    labels = {"operator.istio.io/component": "IngressGateways"}
    service = {"type": "LoadBalancer", "ports": [{"name": "http2", "port": 80}], **spec}
    return [
        make(
            "ConfigMap", "istio", "istio-system", labels={"operator.istio.io/component": "Pilot"}, data={"mesh": "{}"}
        ),
        make("Service", "istio-ingressgateway", "istio-system", labels=labels, spec=service),
    ]


def options(made: MadeRelease, **given: Any) -> dict[str, Any]:
    return {"version": "1.29.1", "source": [str(made.root)], "wait": False, **given}


# --- release -------------------------------------------------------------------------------------------------------


def test_a_release_is_found_in_check_mode_too(run_module: Run, made: MadeRelease) -> None:
    found = run_module("release", version="1.29.1", source=[str(made.root)], check=True)
    assert (found["path"], found["profiles"], found["fetched"]) == (str(made.root), ["default", "demo"], False)
    assert not found["changed"]


@pytest.mark.parametrize("version", ["latest", "1.29", "v1.29.1"])
def test_a_version_is_exact(version: str, run_module: Run, made: MadeRelease) -> None:
    refused = run_module("release", version=version, source=[str(made.root)])
    assert (refused["code"], version in refused["msg"]) == ("invalid_input", True)


def test_a_version_that_is_not_there(run_module: Run, made: MadeRelease) -> None:
    refused = run_module("release", version="1.2.3", source=[str(made.root)])
    assert has_facts(refused["msg"], "1.2.3 & not found")


# --- control plane -------------------------------------------------------------------------------------------------


def test_check_mode_foretells_and_a_second_run_writes_nothing(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    planned = on_api("control_plane", **options(made), check=True, diff=True)
    assert ({change["action"] for change in planned["changes"]}, api.writes) == ({"create"}, [])
    assert len(planned["diff"]) == len(planned["changes"])
    done = on_api("control_plane", **options(made))
    assert (done["changes"], done["version"], done["revision"]) == (planned["changes"], "1.29.1", "default")
    written = api.writes
    again = on_api("control_plane", **options(made))
    assert (again["changed"], api.writes) == (False, written)


@pytest.mark.parametrize("check", [True, False])
def test_unknown_fields_of_mesh_config(check: bool, api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    with (made.root / "bin/istioctl").open("ab") as file:
        file.write(b"\nexit\n" + MESH_CONFIG)
    given = options(made, set={"meshConfig.accessLogFiles": "/dev/stdout"})
    refused = on_api("control_plane", **given, strict=True, check=check)
    assert (refused["code"], api.writes) == ("unknown_fields", [])
    assert has_facts(
        refused["msg"], "meshConfig.accessLogFiles & unknown in Istio 1.29.1 & Did you mean accessLogFile?"
    )
    for _run in ("first", "from the cache"):
        assert on_api("control_plane", **given, check=check)["warnings"] == [refused["msg"]]


def test_extension_providers_are_returned(on_api: Run, made: MadeRelease) -> None:
    mesh = "extensionProviders: [{name: zipkin, zipkin: {service: zipkin, port: 9411}}]"
    made.renders(make("ConfigMap", "istio", "istio-system", data={"mesh": mesh}))
    assert on_api("control_plane", **options(made), check=True)["extension_providers"] == ["zipkin"]


def test_ingress_settings_reach_the_service(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    ingress = [{"type": "NodePort", "node_ports": {"http2": 30080}}]
    on_api("control_plane", **options(made), ingress=ingress)
    spec = api.get("/api/v1/namespaces/istio-system/services/istio-ingressgateway")["spec"]
    assert (spec["type"], spec["ports"][0]["nodePort"]) == ("NodePort", 30080)


def test_a_lost_address_is_a_warning_of_the_plan(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    on_api("control_plane", **options(made), ingress=[{"node_ports": {"http2": 30080}}])
    path = "/api/v1/namespaces/istio-system/services/istio-ingressgateway"
    api.change(path, status={"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}})
    back = {**options(made), "ingress": [{"type": "NodePort", "node_ports": {"http2": 30080}}]}
    written = api.writes
    [warning] = on_api("control_plane", **back, check=True)["warnings"]
    assert has_facts(warning, "Service istio-system/istio-ingressgateway & LoadBalancer & NodePort & 203.0.113.7")
    assert api.writes == written
    assert on_api("control_plane", **back)["warnings"] == [warning]
    assert on_api("control_plane", **back)["warnings"] == []
    inside = {**options(made), "ingress": [{"type": "ClusterIP"}]}
    assert has_facts(on_api("control_plane", **inside)["warnings"][0], "ClusterIP & node port 30080")


def test_a_node_port_that_is_taken_or_out_of_range(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    front = make("Service", "front", "shop", spec={"ports": [{"name": "http", "port": 80, "nodePort": 30080}]})
    api.put("/api/v1/namespaces/shop/services/front", front)
    refused = on_api("control_plane", **options(made), ingress=[{"type": "NodePort", "node_ports": {"http2": 30080}}])
    assert (refused["code"], api.writes) == ("node_port_taken", [])
    assert has_facts(refused["msg"], "node port 30080 & already allocated & Service shop/front (port http)")
    refused = on_api("control_plane", **options(made), ingress=[{"type": "NodePort", "node_ports": {"http2": 80}}])
    assert (refused["code"], api.writes) == ("node_port_range", [])
    assert has_facts(refused["msg"], "node port 80 & out of the range 30000 to 32767")


BROKEN = "kind: IstioOperator\nspec: {a: 1\n"
TWICE = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {}\nspec: {}\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"version": "1.2.3"}, "Istio 1.2.3 & not found"),
        ({"version": "latest"}, "'latest' & exact version"),
        ({"profile": "tiny"}, "default, demo"),
        ({"overlays": [{"kind": "ConfigMap"}]}, "overlay 1 is not an IstioOperator"),
        ({"overlays": [{"source": "mesh.yaml", "text": BROKEN}]}, "mesh.yaml, line 3: "),
        ({"overlays": [{"source": "mesh.yaml", "text": TWICE}]}, "mesh.yaml, line 4 & key 'spec' & duplicate"),
        ({"overlays": ["/nowhere/mesh.yaml"]}, "/nowhere/mesh.yaml & not found"),
        ({"ingress": [{"type": "NodePort", "node_ports": {"grpc": 30080}}]}, "port grpc & not found & http2"),
        ({"set": ["colour"]}, "colour"),
        ({"set": "colour"}, "colour"),
        ({"set": 7}, "set & invalid & path=value"),
        ({"wait_timeout": 0}, "wait_timeout & 0 & invalid"),
        ({"state": "present", "version": None}, "version"),
    ],
)
def test_bad_input_is_one_sentence_and_no_write(
    given: dict[str, Any], sentence: str, api: ApiServer, on_api: Run, made: MadeRelease
) -> None:
    made.renders(*rendered())
    refused = on_api("control_plane", **{**options(made), **given})
    assert (refused["failed"], refused["code"], api.writes) == (True, "invalid_input", [])
    assert has_facts(refused["msg"], sentence)
    assert "\n" not in refused["msg"]


def test_a_kubernetes_that_is_too_old_is_refused_or_warned_of(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    old = {"major": "1", "minor": "28", "gitVersion": "v1.28.3"}
    api.fault = lambda request: Answer(200, old) if request.path == "/version" else None
    refused = on_api("control_plane", **options(made))
    assert (refused["code"], api.writes) == ("unsupported_kubernetes", [])
    assert has_facts(refused["msg"], "supports Kubernetes 1.31 to 1.35 & 1.28.3 & ignore_version_check")
    done = on_api("control_plane", **options(made), ignore_version_check=True)
    assert done["changed"]
    assert "1.28.3" in json.dumps(done["warnings"])


def test_an_api_version_that_is_no_longer_served(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    versions = [{"name": "v1alpha3", "served": True, "storage": True}]
    names = {"kind": "Gateway", "plural": "gateways"}
    spec = {"group": "networking.istio.io", "version": "v1alpha3", "versions": versions, "names": names}
    api_version = "apiextensions.k8s.io/v1beta1"
    crd = make("CustomResourceDefinition", "gateways.networking.istio.io", api=api_version, spec=spec)
    made.renders(*rendered(), crd)
    refused = on_api("control_plane", **options(made))
    assert (refused["code"], api.writes) == ("api_not_served", [])
    assert has_facts(refused["msg"], "CustomResourceDefinition of apiextensions.k8s.io/v1beta1 & not found")


def test_webhooks_of_a_dead_install_go_first_on_demand(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-sidecar-injector-old"
    api.put(path, injector("old"))
    refused = on_api("control_plane", **options(made))
    assert (refused["code"], api.writes) == ("dead_webhooks", [])
    assert has_facts(refused["msg"], "istio-sidecar-injector-old & Service istio-system/istiod-old & not found")
    done = on_api("control_plane", **options(made), remove_dead_webhooks=True)
    assert [one["name"] for one in done["changes"] if one["action"] == "delete"] == ["istio-sidecar-injector-old"]
    writes = [write for write in api.writes if "leases" not in write]
    assert writes[0] == f"DELETE {path}"
    assert not on_api("control_plane", **options(made), remove_dead_webhooks=True)["changed"]


def test_missing_permissions_are_all_named(api: ApiServer, on_api: Run, made: MadeRelease) -> None:
    made.renders(*rendered())
    api.forbidden = lambda attributes: attributes["resource"] in ("configmaps", "services")
    refused = on_api("control_plane", **options(made))
    assert (refused["code"], api.writes) == ("forbidden", [])
    assert "configmaps" in refused["msg"]
    assert "services" in refused["msg"]


def test_absent_needs_no_release(api: ApiServer, on_api: Run) -> None:
    gone = on_api("control_plane", state="absent", wait=False)
    assert (gone["changed"], gone["gateways"], gone["resources"]) == (False, [], [])


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gateways.networking.istio.io", "labels": {"operator.istio.io/component": "Base"}},
    "spec": {
        "group": "networking.istio.io",
        "names": {"kind": "Gateway", "plural": "gateways"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "storage": True}],
    },
}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def test_a_purge_saves_the_users_resources_first(api: ApiServer, on_api: Run, tmp_path: Path) -> None:
    gateway = make(
        "Gateway", "web", "shop", api="networking.istio.io/v1", spec={"selector": {"istio": "ingressgateway"}}
    )
    listed = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": [gateway]}
    api.fault = lambda request: Answer(200, listed) if request.path == "/apis/networking.istio.io/v1/gateways" else None
    api.put(f"{CRDS}/gateways.networking.istio.io", CRD)
    backup = tmp_path / "deep" / "backup.yaml"
    purge = {"state": "absent", "purge": True, "wait": False, "backup": str(backup)}
    planned = on_api("control_plane", **purge, check=True)
    assert [one["name"] for one in planned["resources"]] == ["web"]
    assert (planned["backup_file"], backup.exists(), api.writes) == ("", False, [])

    done = on_api("control_plane", **purge)
    assert done["backup_file"] == str(backup)
    assert yaml.safe_load(backup.read_text()) == gateway
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [one["kind"] for one in done["changes"]] == ["CustomResourceDefinition"]


def test_a_purge_that_cannot_save_removes_nothing(api: ApiServer, on_api: Run, tmp_path: Path) -> None:
    gateway = make("Gateway", "web", "shop", api="networking.istio.io/v1")
    listed = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": [gateway]}
    api.fault = lambda request: Answer(200, listed) if request.path == "/apis/networking.istio.io/v1/gateways" else None
    api.put(f"{CRDS}/gateways.networking.istio.io", CRD)
    backup = tmp_path / "backup.yaml"
    backup.write_text("the only copy")
    refused = on_api("control_plane", state="absent", purge=True, wait=False, backup=str(backup))
    assert refused["code"] == "backup_failed"
    assert backup.read_text() == "the only copy"
    assert api.get(f"{CRDS}/gateways.networking.istio.io")


# --- what is installed, and what speaks against installing ----------------------------------------------------------


def test_info_names_the_cluster_and_what_is_installed(api: ApiServer, on_api: Run) -> None:
    api.put("/api/v1/namespaces/shop/pods/web", pod("web", proxy="1.29.1"))
    told = on_api("control_plane_info")
    assert (told["server"], told["kubernetes"], told["proxies"]) == (api.url, "1.35.4", {"1.29.1": 1})


@pytest.mark.parametrize(("fail_on", "fails"), [("error", True), ("warning", True), ("never", False)])
def test_a_precheck_fails_from_the_level_on_that_was_asked_for(
    fail_on: str, fails: bool, on: Run, made: MadeRelease
) -> None:
    memory = MemoryCluster(kubernetes="1.28.3")
    told = on(memory, "precheck", version="1.29.1", source=[str(made.root)], fail_on=fail_on)
    assert (told.get("failed", False), told["ok"]) == (fails, not fails)
    assert told["messages"][0]["code"] == "unsupported_kubernetes"


def test_a_precheck_can_ignore_the_version(on: Run, made: MadeRelease) -> None:
    memory = MemoryCluster(kubernetes="1.28.3")
    told = on(memory, "precheck", version="1.29.1", source=[str(made.root)], ignore_version_check=True)
    assert (told["ok"], told["messages"][0]["level"]) == (True, "warning")
