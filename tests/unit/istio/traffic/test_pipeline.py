# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules of traffic and security share: nothing twice, nothing of others, and Istio's own word."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.arguments import AUTH
from ansible_collections.meshops.istio.tests.support import documentation
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, ingress_gateway, istio
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.traffic.conftest import Refused

ALL: dict[str, dict[str, Any]] = {
    "gateway": {"name": "gate", "servers": [{"port": 80}]},
    "traffic_route": {"name": "reviews", "hosts": ["reviews"], "http": [{"to": [{}]}]},
    "traffic_policy": {
        "name": "reviews",
        "destination": "reviews",
        "algorithm": "random",
        "rate_limit": {"requests": 5},
    },
    "mtls": {"mode": "permissive"},
    "authorization": {"name": "nothing", "rules": [], "jwt": [{"issuer": "me"}]},
    "egress": {"name": "out", "hosts": ["example.com"], "outbound": "registry_only"},
}
MADE = {
    "gateway": {"Gateway"},
    "traffic_route": {"VirtualService"},
    "traffic_policy": {"DestinationRule", "EnvoyFilter"},
    "mtls": {"PeerAuthentication"},
    "authorization": {"AuthorizationPolicy", "RequestAuthentication"},
    "egress": {"ServiceEntry", "Sidecar"},
}

modules = pytest.mark.parametrize("module", ALL)


@pytest.fixture(autouse=True)
def _gateway(mesh: Mesh) -> None:
    mesh.add(*ingress_gateway())


def made(mesh: Mesh, module: str) -> list[dict[str, Any]]:
    return [obj for obj in mesh.objects if f"meshops.istio/{module}" in (obj["metadata"].get("labels") or {})]


@modules
def test_no_option_has_the_name_of_one_of_the_connection(module: str) -> None:
    own = yaml.safe_load(documentation.module(module).DOCUMENTATION)["options"]
    assert set(own) & set(AUTH) == set()


@modules
def test_a_second_run_changes_nothing(mesh: Mesh, run: Run, module: str) -> None:
    first = run(module, **ALL[module])
    assert {change["kind"] for change in first["changes"]} == MADE[module]
    mesh.requests.clear()
    second = run(module, **ALL[module])
    assert (second["changed"], second["changes"]) == (False, [])
    assert mesh.writes == []


@modules
def test_check_mode_tells_and_does_not_write(mesh: Mesh, run: Run, module: str) -> None:
    told = run(module, **ALL[module], check=True, diff=True)
    assert mesh.writes == []
    assert len(told["diff"]) == len(told["changes"])
    done = run(module, **ALL[module])
    assert done["changes"] == told["changes"]
    assert done["plan_digest"] == told["plan_digest"]


@modules
def test_absent_removes_what_was_made_and_then_nothing(mesh: Mesh, run: Run, module: str) -> None:
    name = ALL[module].get("name", "default")
    run(module, **ALL[module])
    gone = run(module, name=name, state="absent")
    assert {(change["action"], change["kind"]) for change in gone["changes"]} == {
        ("delete", one) for one in MADE[module]
    }
    assert made(mesh, module) == []
    assert not run(module, name=name, state="absent")["changed"]


@modules
def test_objects_carry_their_owner(mesh: Mesh, run: Run, module: str) -> None:
    run(module, **ALL[module])
    name = ALL[module].get("name", "default")
    for obj in made(mesh, module):
        assert obj["metadata"]["labels"] == {f"meshops.istio/{module}": name}
        assert [one["manager"] for one in obj["metadata"]["managedFields"]] == [f"meshops.istio/{module}/{name}"]


@modules
def test_a_cluster_without_istio(mesh: Mesh, refused: Refused, module: str) -> None:
    mesh.versions = ()
    result = refused(module, **ALL[module])
    assert result["code"] == "not_installed"
    assert has_facts(result["msg"], "not found & install Istio first")


@modules
def test_absent_without_istio_is_nothing_to_do(mesh: Mesh, run: Run, module: str) -> None:
    mesh.versions = ()
    assert not run(module, name="gate", state="absent")["changed"]


@modules
def test_older_versions_of_istios_api(mesh: Mesh, run: Run, module: str) -> None:
    mesh.versions = ("v1alpha3", "v1beta1")
    run(module, **ALL[module])
    versions = {obj["apiVersion"].rpartition("/")[2] for obj in made(mesh, module) if obj["kind"] != "EnvoyFilter"}
    assert versions == {"v1beta1"}
    assert not run(module, **ALL[module])["changed"]


@pytest.mark.parametrize("module", sorted(set(ALL) - {"traffic_policy"}))
def test_a_namespace_that_does_not_exist(refused: Refused, module: str) -> None:
    result = refused(module, **{**ALL[module], "namespace": "shopp"})
    assert (result["code"], has_facts(result["msg"], "Namespace shopp not found")) == ("namespace_missing", True)


@modules
def test_istios_webhook_is_asked_before_the_first_write(mesh: Mesh, refused: Refused, module: str) -> None:
    mesh.refuse(min(MADE[module]), "configuration is invalid: it is Monday")
    result = refused(module, **ALL[module], force=True)
    assert result["code"] == "refused"
    assert "configuration is invalid: it is Monday." in result["msg"]


def test_what_is_no_longer_asked_for_goes(mesh: Mesh, run: Run) -> None:
    run("traffic_policy", **ALL["traffic_policy"])
    result = run("traffic_policy", name="reviews", destination="reviews", algorithm="random")
    assert [(change["action"], change["kind"]) for change in result["changes"]] == [("delete", "EnvoyFilter")]


def test_two_names_do_not_meddle(mesh: Mesh, run: Run) -> None:
    for name in ("one", "two"):
        run("egress", name=name, hosts=[f"{name}.example.com"])
    run("egress", name="one", state="absent")
    assert mesh.live("ServiceEntry", "one") is None
    assert mesh.live("ServiceEntry", "two") is not None


def test_an_object_that_somebody_made_is_taken_over_and_left_alone_when_absent(mesh: Mesh, run: Run) -> None:
    theirs = istio("VirtualService", "reviews", {"hosts": ["reviews"], "tcp": []})
    mesh.add(theirs)
    assert not run("traffic_route", name="reviews", state="absent")["changed"]
    result = run("traffic_route", **ALL["traffic_route"])
    assert [change["action"] for change in result["changes"]] == ["update"]


def test_an_object_of_an_application_is_not_taken(mesh: Mesh, refused: Refused) -> None:
    theirs = istio("VirtualService", "reviews", {"hosts": ["reviews"]})
    theirs["metadata"]["labels"] = {"meshops.istio/application": "bookinfo"}
    mesh.add(theirs)
    result = refused("traffic_route", **ALL["traffic_route"], force=True)
    assert result["code"] == "owned"
    assert has_facts(result["msg"], "VirtualService shop/reviews & already belongs to application 'bookinfo'")


def test_what_argo_cd_keeps_in_place_is_not_taken(mesh: Mesh, refused: Refused) -> None:
    theirs = istio("VirtualService", "reviews", {"hosts": ["reviews"]})
    theirs["metadata"]["labels"] = {"argocd.argoproj.io/instance": "shop"}
    mesh.add(theirs)
    assert refused("traffic_route", **ALL["traffic_route"])["code"] == "foreign_owner"


def test_missing_permissions_are_refused_before_the_first_write(mesh: Mesh, refused: Refused) -> None:
    mesh.forbidden = lambda attributes: attributes.get("verb") == "create"
    result = refused("traffic_route", **ALL["traffic_route"])
    assert result["code"] == "forbidden"
    assert "create virtualservices.networking.istio.io in namespace shop" in result["msg"]


def test_another_plan_than_the_one_that_was_looked_at(mesh: Mesh, run: Run, refused: Refused) -> None:
    digest = run("egress", **ALL["egress"], check=True)["plan_digest"]
    assert refused("egress", name="out", hosts=["example.org"], plan_digest=digest)["code"] == "plan_changed"
    assert run("egress", **ALL["egress"], plan_digest=digest)["changed"]


def test_a_long_name_still_has_a_label(mesh: Mesh, run: Run) -> None:
    name = "x" * 80
    run("egress", name=name, hosts=["example.com"])
    (obj,) = made(mesh, "egress")
    assert len(obj["metadata"]["labels"]["meshops.istio/egress"]) <= 63
    assert run("egress", name=name, state="absent")["changed"]


@modules
@pytest.mark.parametrize("restored", [True, False])
def test_a_copy_of_what_a_module_made_stays(mesh: Mesh, run: Run, module: str, restored: bool) -> None:
    run(module, **ALL[module])
    original = made(mesh, module)[0]
    metadata = {**original["metadata"], "name": "copy", "creationTimestamp": "2026-01-01T11:00:00Z"}
    for entry in metadata["managedFields"]:
        entry["time"] = "2026-01-01T10:00:00Z"
    if not restored:
        metadata["managedFields"] = [{"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {}}]
    mesh.add({**original, "metadata": metadata})
    assert not run(module, **ALL[module])["changed"]
    run(module, **ALL[module], state="absent")
    assert [one["metadata"]["name"] for one in made(mesh, module)] == ["copy"]
