# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications: what they are made of, what becomes of it, and what is refused before anything is written."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.download_server import Authority, Server, authority, serve
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

__all__ = ["authority", "serve"]

SHOP = {"name": "shop", "namespace": "shop"}
MANIFESTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {currency: EUR}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, namespace: default}
"""


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def path_of(name: str, namespace: str = "shop") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


def there(api: ApiServer) -> set[str]:
    """The ConfigMaps and Namespaces that are stored, as namespace/name."""
    return {f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}" for one in api.objects}


def acts(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["action"], f"{change['namespace']}/{change['name']}") for change in result["changes"]]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The URL of MANIFESTS on a web server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/shop.yaml"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(MANIFESTS.encode() if found else b"")

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/shop.yaml"
        server.shutdown()


# --- what becomes of it --------------------------------------------------------------------------------------------


def test_check_mode_writes_nothing_and_foretells_everything(api: ApiServer, on_api: Run) -> None:
    planned = on_api("application", **SHOP, definition=[config_map("settings")], check=True, diff=True)
    assert (planned["changed"], acts(planned)) == (True, [("create", "shop/settings")])
    assert planned["diff"][0]["prepared"].startswith("+ ConfigMap shop/settings (create)")
    assert api.writes == []
    done = on_api("application", **SHOP, definition=[config_map("settings")])
    assert (done["changes"], done["plan_digest"]) == (planned["changes"], planned["plan_digest"])


def test_a_second_run_changes_and_writes_nothing(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings", currency="EUR")])
    before = api.writes
    again = on_api("application", **SHOP, definition=[config_map("settings", currency="EUR")])
    assert (again["changed"], again["changes"], api.writes) == (False, [], before)


def test_a_changed_value_is_updated(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings", currency="EUR")])
    result = on_api("application", **SHOP, definition=[config_map("settings", currency="CHF")], diff=True)
    assert acts(result) == [("update", "shop/settings")]
    assert "-  currency: EUR\n+  currency: CHF" in result["diff"][0]["prepared"]
    assert api.get(path_of("settings"))["data"] == {"currency": "CHF"}


def test_what_is_no_longer_part_of_it_goes(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings"), config_map("texts")])
    assert acts(on_api("application", **SHOP, definition=[config_map("texts")])) == [("delete", "shop/settings")]
    assert "shop/settings" not in there(api)


def test_it_stays_without_prune(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings"), config_map("texts")])
    assert not on_api("application", **SHOP, definition=[config_map("texts")], prune=False)["changed"]
    assert "shop/settings" in there(api)


def test_absent_takes_all_of_it_and_nothing_else(api: ApiServer, on_api: Run) -> None:
    api.put(path_of("mine"), {**config_map("mine"), "metadata": {"name": "mine", "namespace": "shop"}})
    on_api("application", **SHOP, definition=[config_map("settings"), config_map("texts")])
    on_api("application", name="shop", namespace="default", definition=[config_map("settings")])
    gone = on_api("application", **SHOP, state="absent")
    assert sorted(acts(gone)) == [("delete", "shop/settings"), ("delete", "shop/texts")]
    assert {"shop/mine", "default/settings"} <= there(api)
    assert not on_api("application", **SHOP, state="absent")["changed"]


def test_another_plan_than_the_approved_one_is_refused(api: ApiServer, on_api: Run) -> None:
    digest = on_api("application", **SHOP, definition=[config_map("settings")], check=True)["plan_digest"]
    other = on_api("application", **SHOP, definition=[config_map("texts")], plan_digest=digest)
    assert (other["code"], api.writes) == ("plan_changed", [])
    assert on_api("application", **SHOP, definition=[config_map("settings")], plan_digest=digest)["changed"]


def test_an_immutable_field_is_named_with_the_way_out(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings", key="one")])
    causes = [{"field": "data", "message": "Forbidden: field is immutable when `immutable` is set"}]
    api.fault = lambda request: (
        Answer(422, {"kind": "Status", "code": 422, "message": "swordfish", "details": {"causes": causes}})
        if request.method == "PATCH" and request.path == path_of("settings")
        else None
    )
    written = len(api.writes)
    result = on_api("application", **SHOP, definition=[config_map("settings", key="two")])
    assert (result["code"], result["details"]["fields"], len(api.writes)) == ("immutable", ["data"], written)
    for part in ("ConfigMap shop/settings", "set recreate", "mesh_applications[].recreate"):
        assert part in result["msg"]
    assert "swordfish" not in json.dumps(result)


# --- what it is made of --------------------------------------------------------------------------------------------


def test_objects_keep_their_namespace_and_get_the_applications_otherwise(on_api: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(MANIFESTS, encoding="utf-8")
    result = on_api("application", **SHOP, src=[str(tmp_path / "shop.yaml")])
    assert acts(result) == [("create", "shop/settings"), ("create", "default/texts")]


def test_a_folder_is_all_its_manifests(on_api: Run, tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.json", "README.md", ".hidden.yaml"):
        (tmp_path / name).write_text(f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name[:1]}}}}}")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/d.yaml").write_text("not: read")
    result = on_api("application", **SHOP, src=[str(tmp_path)])
    assert [one["name"] for one in result["objects"]] == ["a", "b", "c"]


def test_a_url_is_fetched(on_api: Run, serve: Callable[..., Server], authority: Authority) -> None:
    server = serve(authority.context())
    server.replies["/shop.yaml"] = MANIFESTS.encode()
    url, options = f"https://me:swordfish@{server.place}", {"download_ca_cert": str(authority.certificate)}
    result = on_api("application", **SHOP, src=[f"{url}/shop.yaml"], **options)
    assert [one["name"] for one in result["objects"]] == ["settings", "texts"]
    assert server.asked[0].authorization
    absent = on_api("application", **SHOP, src=[f"{url}/bank.yaml"], **options)
    assert has_facts(absent["msg"], "bank.yaml & not found & 404")
    assert "swordfish" not in absent["msg"]


def test_a_url_over_http_needs_a_checksum(api: ApiServer, on_api: Run, web: str) -> None:
    result = on_api("application", **SHOP, src=[web])
    assert (result["code"], api.writes) == ("insecure_url", [])
    assert has_facts(result["msg"], "https & #sha256=")


def test_a_url_that_holds_something_else_is_refused(api: ApiServer, on_api: Run, web: str) -> None:
    right = hashlib.sha256(MANIFESTS.encode()).hexdigest()
    wrong = on_api("application", **SHOP, src=[f"{web}#sha256={'0' * 64}"])
    assert (wrong["code"], api.writes) == ("checksum_mismatch", [])
    assert on_api("application", **SHOP, src=[f"{web}#sha256={right}"])["changed"]


def test_definitions_are_objects_or_texts(on_api: Run) -> None:
    result = on_api("application", **SHOP, definition=[MANIFESTS, config_map("more")])
    assert [one["name"] for one in result["objects"]] == ["settings", "texts", "more"]


def test_a_mistake_in_a_file_is_named_with_its_line(api: ApiServer, on_api: Run, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(MANIFESTS + "data: {a: 1}\ndata: {b: 2}\n", encoding="utf-8")
    result = on_api("application", **SHOP, src=[str(file)])
    assert has_facts(result["msg"], f"{file}, line 10 & key 'data' & duplicate")
    assert api.writes == []


def test_a_file_that_is_not_there(on_api: Run, tmp_path: Path) -> None:
    assert has_facts(on_api("application", **SHOP, src=[str(tmp_path / "none.yaml")])["msg"], "none.yaml & not found")


def test_nothing_to_apply(on_api: Run) -> None:
    assert on_api("application", **SHOP, definition=["---\n"])["code"] == "invalid_input"


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_namespace_that_does_not_exist_is_refused_or_made(api: ApiServer, on_api: Run) -> None:
    bank = {"name": "bank", "namespace": "bank", "definition": [config_map("settings")]}
    refused = on_api("application", **bank)
    assert (refused["code"], api.writes) == ("namespace_missing", [])
    assert has_facts(refused["msg"], "Namespace bank not found & create_namespaces")
    made = on_api("application", **bank, create_namespaces=True)
    assert acts(made)[0] == ("create", "/bank")
    assert not on_api("application", **bank, create_namespaces=True)["changed"]


@pytest.mark.parametrize("check", [True, False], ids=["check-mode", "in-earnest"])
def test_a_namespace_that_is_being_deleted_is_refused_at_once(api: ApiServer, on_api: Run, check: bool) -> None:
    metadata = {"name": "bank", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}
    api.put("/api/v1/namespaces/bank", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    bank = {"name": "bank", "namespace": "bank", "definition": [config_map("settings")]}
    refused = on_api("application", **bank, check=check)
    assert (refused["code"], api.writes) == ("namespace_missing", [])
    assert "bank is being deleted" in refused["msg"]
    planned = on_api("application", **bank, create_namespaces=True, check=True)
    assert acts(planned) == [("create", "/bank"), ("create", "bank/settings")]
    assert api.writes == []
    failed = on_api("application", **bank, create_namespaces=True, wait_timeout=4)
    assert has_facts(failed["msg"], "timed out waiting & Namespace bank & still exists")
    assert "example.com/hold" in failed["msg"]
    on_api("application", name="bank", namespace="bank", state="absent")
    assert "/bank" in there(api)


def test_what_another_application_has_is_refused_unless_forced(api: ApiServer, on_api: Run) -> None:
    on_api("application", **SHOP, definition=[config_map("settings", currency="EUR")])
    before = api.writes
    other = {"name": "other", "namespace": "shop", "definition": [config_map("settings", currency="EUR")]}
    refused = on_api("application", **other)
    assert (refused["code"], refused["details"]["application"], api.writes) == ("claimed", "shop", before)
    assert on_api("application", **other, force=True)["changed"]
    gone = on_api("application", **SHOP, state="absent")
    assert acts(gone) == [("delete", "shop/meshops-istio.application.shop")]
    assert "shop/settings" in there(api)


def test_a_kind_that_the_cluster_does_not_know(api: ApiServer, on_api: Run) -> None:
    gateway = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "front"}}
    # Something else may be about to install it.
    assert acts(on_api("application", **SHOP, definition=[gateway], check=True)) == [("create", "shop/front")]
    refused = on_api("application", **SHOP, definition=[gateway])
    assert (refused["code"], api.writes) == ("unknown_kind", [])
    assert has_facts(refused["msg"], "Gateway & not found & install Istio first")


def test_a_name_that_is_no_name(on_api: Run) -> None:
    assert on_api("application", name="My Shop", definition=[config_map("a")])["code"] == "invalid_input"


# --- what is waited for --------------------------------------------------------------------------------------------


def test_a_condition_that_never_holds_is_named(on_api: Run) -> None:
    condition = {"kind": "ConfigMap", "name": "settings", "expression": "data.currency == 'CHF'"}
    result = on_api(
        "application",
        **SHOP,
        definition=[config_map("settings", currency="EUR")],
        wait_for=[condition],
        wait_timeout=3,
    )
    assert result["code"] == "not_ready"
    assert "ConfigMap shop/settings" in result["msg"]


def test_a_condition_with_a_mistake_is_refused_before_anything_is_written(api: ApiServer, on_api: Run) -> None:
    condition = {"kind": "ConfigMap", "name": "settings", "expression": "data.["}
    result = on_api("application", **SHOP, definition=[config_map("settings")], wait_for=[condition])
    assert (result["code"], api.writes) == ("invalid_input", [])


def test_no_time_at_all(on_api: Run) -> None:
    result = on_api("application", **SHOP, definition=[config_map("settings")], wait_timeout=0)
    assert has_facts(result["msg"], "wait_timeout & 0 & invalid")
