# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""addons: which of a release's addons come and go, what their settings make of them, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, Request, status
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.unit.istio.addons.conftest import ADDONS, SYSTEM, Addons
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import warnings_of

FORBIDDEN = 'namespaces "istio-system" is forbidden: User "jane" cannot get resource "namespaces" in API group ""'


def acts(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(change["action"], change["kind"], change["name"]) for change in result["changes"]}


def deployment(mesh: Mesh, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = mesh.spec("Deployment", name, SYSTEM)
    return spec


def container(mesh: Mesh, name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment(mesh, name)["template"]["spec"]["containers"][-1]
    return found


def configuration(mesh: Mesh, name: str, key: str = "config.yaml") -> Any:
    live = mesh.live("ConfigMap", name, SYSTEM)
    assert live
    return yaml.safe_load(live["data"][key])


# --- which come and go ---------------------------------------------------------------------------------------------


def test_check_mode_foretells_what_a_run_does(mesh: Mesh, run: Addons) -> None:
    before = len(mesh.writes)
    planned = run("kiali", "prometheus", check=True, diff=True)
    assert len(mesh.writes) == before
    assert any("Deployment istio-system/kiali (create)" in one["prepared"] for one in planned["diff"])
    done = run("kiali", "prometheus")
    assert (done["changes"], done["plan_digest"]) == (planned["changes"], planned["plan_digest"])
    assert ("create", "Deployment", "prometheus") in acts(done)


def test_a_second_run_writes_nothing(mesh: Mesh, run: Addons) -> None:
    settings: dict[str, Any] = {
        "expose": [{}],
        "storage": {"prometheus": "1Gi"},
        "tracing": "zipkin",
        "kiali": {"auth": "token"},
    }
    run("kiali", "prometheus", "grafana", "zipkin", **settings)
    before = len(mesh.writes)
    again = run("kiali", "prometheus", "grafana", "zipkin", **settings)
    assert (again["changed"], again["changes"], len(mesh.writes)) == (False, [], before)


def test_all_is_everything_but_the_extras(run: Addons) -> None:
    assert run("all")["addons"] == ["grafana", "jaeger", "kiali", "prometheus"]


def test_what_is_no_longer_wanted_goes(mesh: Mesh, run: Addons) -> None:
    run("kiali", "prometheus")
    result = run("prometheus")
    assert acts(result) == {("delete", kind, "kiali") for kind in ("ConfigMap", "Service", "Deployment")}
    assert mesh.live("Deployment", "prometheus", SYSTEM)


def test_without_prune_it_stays(mesh: Mesh, run: Addons) -> None:
    run("kiali", "prometheus")
    assert not run("prometheus", prune=False)["changed"]
    assert mesh.live("Deployment", "kiali", SYSTEM)


def test_the_inventory_lists_the_addons_but_for_their_data(mesh: Mesh, run: Addons) -> None:
    run("prometheus", storage={"prometheus": "1Gi"})
    inventory = mesh.live("ConfigMap", "meshops-istio.addons", SYSTEM)
    assert inventory
    assert "prometheus" in inventory["data"]["Deployment.v1.apps"]
    assert not any(kind.startswith(("PersistentVolumeClaim", "Namespace")) for kind in inventory["data"])
    run(state="absent", version=None, source=None)
    assert mesh.live("ConfigMap", "meshops-istio.addons", SYSTEM) is None


def test_a_copy_of_an_addon_stays(mesh: Mesh, run: Addons) -> None:
    run("prometheus")
    original = mesh.live("Service", "prometheus", SYSTEM)
    assert original
    entry = {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {}}
    mesh.add({**original, "metadata": {**original["metadata"], "name": "copy", "managedFields": [entry]}})
    assert not run("prometheus")["changed"]
    run(state="absent", version=None, source=None)
    assert mesh.live("Service", "copy", SYSTEM)


def test_zipkin_takes_the_place_of_jaeger(mesh: Mesh, run: Addons) -> None:
    run("jaeger")
    result = run("zipkin")
    assert {("update", "Service", "tracing"), ("delete", "Deployment", "jaeger")} <= acts(result)
    assert mesh.spec("Service", "tracing", SYSTEM)["selector"] == {"app": "zipkin"}


def test_absent_takes_those_that_are_named_or_all(mesh: Mesh, run: Addons) -> None:
    run("kiali", "prometheus", storage={"prometheus": "1Gi"})
    gone = run("kiali", state="absent", version=None)
    assert {name for _action, _kind, name in acts(gone)} == {"kiali"}
    run(state="absent", version=None, source=None)
    assert mesh.live("Deployment", "prometheus", SYSTEM) is None
    assert mesh.live("PersistentVolumeClaim", "prometheus-data", SYSTEM), "data are nobody's to delete"
    assert not run(state="absent", version=None)["changed"]


@pytest.mark.parametrize("names", [["grafna"], ["kiali", "grafna"], ["all", "grafna"]])
@pytest.mark.parametrize("there", [["kiali"], []])
def test_absent_refuses_a_name_that_nobody_has(
    there: list[str], names: list[str], run: Addons, refused: Addons
) -> None:
    if there:
        run(*there)
    result = refused(*names, state="absent", version=None, source=None)
    assert (result["code"], result["details"]) == ("unknown_addon", {"addon": "grafna", "addons": there})


def test_absent_knows_what_is_installed_of_another_s_release(mesh: Mesh, run: Addons) -> None:
    run("kiali")
    live = mesh.live("Service", "kiali", SYSTEM)
    assert live
    own = {**live["metadata"]["labels"], "meshops.istio/addon": "own-pages"}
    mesh.add({**live, "metadata": {**live["metadata"], "labels": own}})
    assert {name for _action, _kind, name in acts(run("own-pages", state="absent", version=None))} == {"kiali"}
    assert not run("zipkin", state="absent", version=None)["changed"], "a release has it, and it is gone"


def test_in_another_control_plane_s_namespace(mesh: Mesh, run: Addons) -> None:
    mesh.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mesh"}})
    result = run("kiali", "prometheus", namespace="mesh")
    assert {change["namespace"] for change in result["changes"]} == {"mesh"}
    assert result["dashboards"]["kiali"]["cluster_url"] == "http://kiali.mesh:20001/kiali"


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (
            ["kiali", "loki"],
            "unknown_addon",
            "addon 'loki' & not found & grafana, jaeger, kiali, prometheus, prometheus-operator, zipkin",
        ),
        (
            ["all", "zipkin"],
            "addons_exclude_each_other",
            "jaeger & zipkin & conflict & Service",
        ),
        (["prometheus-operator"], "not_installed", "not found & install the Prometheus operator or its CRDs"),
    ],
)
def test_what_cannot_be_installed(refused: Addons, names: list[str], code: str, words: str) -> None:
    result = refused(*names)
    assert result["code"] == code
    assert has_facts(result["msg"], words)


@pytest.mark.parametrize("check", [True, False])
def test_a_missing_permission_to_read_the_namespace_is_an_error(check: bool, mesh: Mesh, refused: Addons) -> None:
    answered = mesh.fault

    def fault(request: Request) -> Answer | None:
        place = request.path == "/api/v1/namespaces/istio-system"
        return status(403, "Forbidden", FORBIDDEN) if place else answered(request)

    mesh.fault = fault
    result = refused("prometheus", check=check)
    assert result["code"] == "forbidden"
    assert has_facts(result["msg"], "forbidden & get namespaces")


def test_an_addon_that_came_with_a_later_release(refused: Addons, tmp_path: Path) -> None:
    old = MadeRelease(tmp_path / "istio-1.17.0")
    old.write("manifest.yaml", "version: 1.17.0\n")
    old.write("samples/addons/kiali.yaml", yaml.safe_dump_all(ADDONS["kiali"]))
    result = refused("loki", version="1.17.0", source=[str(old.root)])
    assert has_facts(result["msg"], "addon 'loki' & not found & Istio 1.17.0 & kiali")


# --- settings ------------------------------------------------------------------------------------------------------


def test_resources_retention_and_images(mesh: Mesh, run: Addons) -> None:
    run(
        "prometheus",
        resources={"prometheus": {"requests": {"cpu": "100m"}}},
        retention={"prometheus": "30d"},
        images={"docker.io/": "mirror.example.com/"},
    )
    server = container(mesh, "prometheus")
    assert server["resources"] == {"requests": {"cpu": "100m"}}
    assert server["args"] == ["--storage.tsdb.retention.time=30d"]
    assert server["image"] == "mirror.example.com/prom/prometheus:v3"


def test_a_volume_of_its_own(mesh: Mesh, run: Addons) -> None:
    run("prometheus", storage={"prometheus": {"size": "5Gi", "class": "fast"}})
    claim = mesh.spec("PersistentVolumeClaim", "prometheus-data", SYSTEM)
    assert claim["storageClassName"] == "fast"
    assert claim["resources"] == {"requests": {"storage": "5Gi"}}
    spec = deployment(mesh, "prometheus")
    assert spec["strategy"] == {"type": "Recreate"}
    assert spec["template"]["spec"]["volumes"] == [
        {"name": "storage-volume", "persistentVolumeClaim": {"claimName": "prometheus-data"}}
    ]
    assert spec["template"]["spec"]["securityContext"] == {"fsGroup": 65534}


def test_an_existing_prometheus_is_asked_by_kiali_and_grafana(mesh: Mesh, run: Addons) -> None:
    url = "http://prometheus.monitoring:9090"
    result = run("kiali", "grafana", prometheus_url=url)
    assert configuration(mesh, "kiali")["external_services"]["prometheus"]["url"] == url
    assert configuration(mesh, "grafana", "datasources.yaml")["datasources"][0]["url"] == url
    assert "Prometheus" not in warnings_of(result)


def test_another_configuration_makes_new_pods(mesh: Mesh, run: Addons) -> None:
    run("kiali", "prometheus")
    before = deployment(mesh, "kiali")["template"]["metadata"]
    run("kiali", "prometheus", kiali={"auth": "token", "config": {"login_token": {"signing_key": "secret:kiali:key"}}})
    assert configuration(mesh, "kiali")["auth"]["strategy"] == "token"
    assert deployment(mesh, "kiali")["template"]["metadata"] != before


def test_grafana_with_logins(mesh: Mesh, run: Addons) -> None:
    run("grafana", prometheus_url="http://p:9090", grafana={"anonymous_role": "none", "admin_secret": "admin"})
    variables = {one["name"]: one for one in container(mesh, "grafana")["env"]}
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"]["value"] == "false"
    password = variables["GF_SECURITY_ADMIN_PASSWORD"]
    assert password["valueFrom"] == {"secretKeyRef": {"name": "admin", "key": "admin-password"}}
    assert "value" not in password


def test_kiali_without_a_prometheus_is_warned_of(run: Addons) -> None:
    assert has_facts(warnings_of(run("kiali")), "kiali & no Prometheus & prometheus_url")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retention": {"grafana": "1d"}}, "not one of the selected addons"),
        ({"retention": {"kiali": "1d"}}, "retention.kiali & only prometheus and loki"),
        ({"retention": {"prometheus": "long"}}, "retention.prometheus & 'long' & duration & 15d"),
        ({"storage": {"kiali": "1Gi"}}, "storage.kiali & no data"),
        ({"storage": {"prometheus": {"klass": "fast"}}}, "a map of size and class"),
        ({"resources": {"kiali": {"memory": "1Gi"}}}, "a map of requests and limits"),
        ({"prometheus_url": "http://prometheus.monitoring:9090"}, "prometheus_url & addon prometheus & conflict"),
        ({"prometheus_url": "prometheus.monitoring"}, "prometheus_url & URL"),
        ({"grafana": {"anonymous_role": "none"}}, "not one of the selected addons"),
    ],
)
def test_settings_that_cannot_be_meant(refused: Addons, settings: dict[str, Any], words: str) -> None:
    assert has_facts(refused("kiali", "prometheus", **settings)["msg"], words)


def test_grafana_that_nobody_could_log_in_to(refused: Addons) -> None:
    assert has_facts(refused("grafana", grafana={"anonymous_role": "none"})["msg"], "needs grafana.admin_secret")
