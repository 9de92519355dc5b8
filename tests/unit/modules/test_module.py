# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all modules share: how they connect, how they fail, and what they never show."""

from __future__ import annotations

import base64
import importlib.util
import json
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils import basic
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import PROGRESS_FILE
from ansible_collections.meshops.istio.tests.support.documentation import ROOT
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

INFO = "control_plane_info"
READ = "ansible_collections.meshops.istio.plugins.module_utils.tasks.control_plane_info.read_installed"


def kubeconfig(server: str, **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "default", "cluster": {"server": server}}],
        "users": [{"name": "default", "user": user}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
        "current-context": "default",
    }


def raising(error: BaseException) -> Any:
    def read(*_arguments: Any) -> None:
        raise error

    return read


# --- connecting ----------------------------------------------------------------------------------------------------


def test_requests_carry_the_collections_name_and_version(api: ApiServer, on_api: Run) -> None:
    on_api(INFO)
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert {request.headers["user-agent"] for request in api.requests} == {f"meshops.istio/{version}"}


@pytest.mark.parametrize("form", ["path", "dictionary", "yaml", "json"])
def test_a_kubeconfig_is_a_path_or_its_content(form: str, api: ApiServer, run_module: Run, tmp_path: Path) -> None:
    content = kubeconfig(api.url, token="swordfish")
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    forms = {"path": str(path), "dictionary": content, "yaml": yaml.safe_dump(content), "json": json.dumps(content)}
    assert run_module(INFO, kubeconfig=forms[form])["server"] == api.url
    assert {request.headers["authorization"] for request in api.requests} == {"Bearer swordfish"}


def test_the_environment_says_what_the_task_does_not(
    api: ApiServer, run_module: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_AUTH_HOST", api.url)
    monkeypatch.setenv("K8S_AUTH_API_KEY", "swordfish")
    monkeypatch.setenv("K8S_AUTH_IMPERSONATE_USER", "jane")
    monkeypatch.setenv("K8S_AUTH_IMPERSONATE_GROUPS", "readers,writers")
    assert run_module(INFO)["server"] == api.url
    assert api.requests[0].headers["impersonate-user"] == "jane"
    assert api.requests[0].headers["impersonate-group"] == "writers"  # the last of two headers of this name


def test_the_task_wins_over_the_environment(api: ApiServer, on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "another")
    on_api(INFO)
    assert {request.headers["authorization"] for request in api.requests} == {"Bearer swordfish"}


# --- failing -------------------------------------------------------------------------------------------------------


def test_a_failure_has_a_sentence_a_code_and_details(run_module: Run, tmp_path: Path) -> None:
    result = run_module(INFO, kubeconfig=str(tmp_path / "nowhere"))
    assert (result["failed"], result["code"]) == (True, "no_kubeconfig")
    assert has_facts(result["msg"], f"kubeconfig {tmp_path}/nowhere & not found & mesh_kubeconfig & mesh_host & AWX")


def test_without_release_and_network_the_error_names_the_file_to_provide(run_module: Run) -> None:
    result = run_module("release", version="1.29.1", source=["https://127.0.0.1:9/istio"])
    assert result["code"] == "download_failed"
    assert has_facts(result["msg"], "cannot download & set source & istio-1.29.1- & .tar.gz & mesh_release_source")


def test_refused_credentials(api: ApiServer, on_api: Run) -> None:
    api.fault = lambda request: Answer(401, {"message": "Unauthorized"})
    result = on_api(INFO)
    assert (result["code"], api.url in result["msg"]) == ("unauthorized", True)


def test_a_wrong_option_is_refused_in_the_same_form(run_module: Run) -> None:
    result = run_module("ingress_info", colour="green")
    assert (result["code"], result["details"]) == ("invalid_input", {})
    assert "colour" in result["msg"]


def test_a_defect_is_one_sentence(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(READ, raising(KeyError("metadata")))
    result = on_api(INFO)
    assert result["code"] == "unexpected"
    assert "KeyError: 'metadata'" in result["msg"]
    assert "\n" not in result["msg"]
    assert "Traceback" not in json.dumps(result)


def test_a_defect_shows_its_traceback_to_who_asks(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(READ, raising(KeyError("metadata")))
    assert "Traceback" in "".join(on_api(INFO, verbosity=3)["details"]["traceback"])


def test_a_system_error_has_the_code_system(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(READ, raising(OSError(28, "No space left on device", "/tmp/x")))
    result = on_api(INFO)
    assert result["code"] == "system"
    assert has_facts(result["msg"], "No space left on device (/tmp/x)")


def test_a_stopped_task_reports_it(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_arguments: Any) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(READ, read)
    assert on_api(INFO)["code"] == "interrupted"


def test_a_library_that_is_missing_is_named(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "yaml" else find(name))
    result = on_api(INFO)
    assert (result["code"], result["details"]) == ("missing_library", {"library": "PyYAML"})
    assert "-m pip install jmespath kubernetes PyYAML urllib3 websocket-client" in result["msg"]


def test_a_library_that_is_too_old_is_no_defect(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ImportError("cannot import name 'HTTPHeaderDict' from 'urllib3'", name="urllib3")
    monkeypatch.setattr(READ, raising(error))
    result = on_api(INFO)
    assert (result["code"], result["details"]) == ("missing_library", {"library": "urllib3"})
    assert "HTTPHeaderDict" in result["msg"]
    assert "-m pip install --upgrade" in result["msg"]


# --- not showing ---------------------------------------------------------------------------------------------------


def test_a_kubeconfigs_content_is_not_shown_and_its_secrets_nowhere(
    api: ApiServer, run_module: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(READ, raising(RuntimeError("swordfish is no key of default")))
    result = run_module(INFO, kubeconfig=kubeconfig(api.url, token="swordfish", username="default"))
    assert "swordfish" not in json.dumps(result)
    # What is no secret is not censored, though it stands in the kubeconfig too.
    assert "default" in result["msg"]
    assert result["invocation"]["module_args"]["kubeconfig"] == "<content>"


def test_nor_where_ansible_itself_refuses_the_options(run_module: Run) -> None:
    content = yaml.safe_dump(kubeconfig("https://10.0.0.1", password="swordfish"))
    result = run_module("ingress_info", kubeconfig=content, wait_timeout="soon")
    assert result["failed"]
    assert "swordfish" not in json.dumps(result)


def test_a_password_in_a_url_is_not_shown(run_module: Run) -> None:
    result = run_module("release", version="1.29.1", source=["https://me:swordfish@127.0.0.1:9/istio"])
    assert result["failed"]
    assert "swordfish" not in json.dumps(result)


def test_secrets_among_manifests_are_not_shown(on_api: Run) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "swordfish"}}
    result = on_api("application", name="shop", definition=[secret], wait=False, diff=True)
    assert result["changed"]
    assert "swordfish" not in json.dumps(result)


def in_env(name: str, value: str) -> dict[str, Any]:
    container = {"name": "web", "env": [{"name": name, "value": value}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [container]}}


CANARY = "canary-7f3a91"
INLINE = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"any": CANARY}}


@pytest.mark.parametrize(
    "definition",
    [
        INLINE,
        {"apiVersion": "v1", "kind": "List", "items": [INLINE]},
        yaml.safe_dump(INLINE),
        {**INLINE, "stringData": None, "data": {"any": base64.b64encode(CANARY.encode()).decode()}},
        in_env("DB_PASSWORD", CANARY),
    ],
    ids=["Secret", "List", "text", "data", "env"],
)
@pytest.mark.parametrize("refused", [False, True], ids=["applied", "refused"])
def test_a_secret_among_manifests_is_nowhere(refused: bool, definition: Any, api: ApiServer, on_api: Run) -> None:
    def refuse(request: Request) -> Answer | None:
        quoted = f'got "map[any:{CANARY} {base64.b64encode(CANARY.encode()).decode()}]", expected "map[string]byte"'
        return Answer(422, {"reason": "Invalid", "message": quoted}) if request.method == "PATCH" else None

    if refused:
        api.fault = refuse
    result = on_api("application", name="shop", definition=[definition], wait=False, diff=True, verbosity=3)
    assert bool(result.get("failed")) == refused, result.get("msg")
    assert CANARY not in json.dumps(result)
    assert base64.b64encode(CANARY.encode()).decode() not in json.dumps(result)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("release", {"source": [f"https://me:{CANARY}@127.0.0.1:9/istio"]}),
        ("release", {"source": [f"https://{CANARY}@127.0.0.1:9/istio"]}),
        ("release", {"source": [f"https://127.0.0.1:9/istio?sv=1&sig={CANARY}"]}),
        ("release", {"source": ["https://127.0.0.1:9/x"], "download_proxy": f"http://me:{CANARY}@127.0.0.1:9"}),
        ("control_plane", {"values": {"pilot": {"env": {"ANY": CANARY}}}}),
        ("control_plane", {"set": [f"values.pilot.env.API_TOKEN={CANARY}"]}),
        ("control_plane", {"overlays": [{"spec": {"values": {"any": CANARY}}}]}),
        ("addons", {"kiali": {"config": {"external_services": {"grafana": {"auth": {"password": CANARY}}}}}}),
        ("addons", {"prometheus_url": f"https://me:{CANARY}@prometheus:9090"}),
    ],
)
def test_a_secret_in_settings_and_urls_is_nowhere(
    module: str, options: dict[str, Any], api: ApiServer, run_module: Run
) -> None:
    connects = {} if module == "release" else {"host": api.url, "api_key": "x", "proxy": None}
    api.fault = lambda _request: Answer(403, {"reason": "Forbidden", "message": f"Bearer {CANARY} is no user"})
    result = run_module(module, version="1.29.1", **{"source": ["/nowhere"], **connects, **options})
    assert result["failed"]
    assert CANARY not in json.dumps(result)


def test_messages_of_a_cluster_are_shown_without_credentials(api: ApiServer, on_api: Run) -> None:
    content = base64.b64encode(
        b"apiVersion: v1\nclusters: []\nusers: [{user: {token: " + CANARY.encode() + b"}}]"
    ).decode()
    api.fault = lambda _request: Answer(400, {"message": f"token {content} of https://me:{CANARY}@idp is bad"})
    result = on_api(INFO)
    assert result["failed"]
    assert CANARY not in json.dumps(result)
    assert content not in json.dumps(result)


def test_messages_of_a_cluster_have_no_terminal_escapes(api: ApiServer, on_api: Run) -> None:
    api.fault = lambda _request: Answer(400, {"message": "\x1b[2J\x9b31m\u202ebad"})
    assert r"\x1b[2J\x9b31m\u202ebad" in on_api(INFO)["msg"]


def test_progress_and_warnings_are_without_secrets_and_controls(
    monkeypatch: pytest.MonkeyPatch, run_module: Run, tmp_path: Path
) -> None:
    progress = tmp_path / "progress"
    progress.touch()
    monkeypatch.setenv(PROGRESS_FILE, str(progress))

    def told(self: Any, **_options: Any) -> None:
        self.progress(f"asking https://me:{CANARY}@mirror")
        self.warn(f"the mirror https://me:{CANARY}@mirror says \x1b[31mno")

    monkeypatch.setattr(MeshModule, "release", told)
    result = run_module("release", version="1.29.1", source=[f"https://me:{CANARY}@mirror"])
    assert result["warnings"] == ["the mirror https://me:********@mirror says \\x1b[31mno"]
    assert progress.read_text(encoding="utf-8") == "asking https://me:********@mirror\n"


def test_files_that_were_read_elsewhere_are_not_repeated(on_api: Run) -> None:
    text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: settings}\ndata: {colour: green}"
    result = on_api("application", name="shop", src=[{"source": "shop.yaml", "text": text}], wait=False)
    assert result["invocation"]["module_args"]["src"] == [{"source": "shop.yaml", "text": "<text>"}]


def test_nothing_of_an_invocation_is_logged(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _self, text: logged.append(text), raising=False)
    monkeypatch.setattr(basic, "has_journal", False, raising=False)
    on_api(INFO)
    assert logged == []


# --- telling -------------------------------------------------------------------------------------------------------


def test_progress_goes_to_the_file_that_the_environment_names(
    on_api: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    progress = tmp_path / "progress"
    progress.touch()
    monkeypatch.setenv(PROGRESS_FILE, str(progress))
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    on_api("application", name="shop", definition=[manifest])
    assert progress.read_text(encoding="utf-8").splitlines() == ["applied 1 of 1 objects"]


def test_unreadable_progress_is_no_failure(on_api: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRESS_FILE, "/nowhere/progress")
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    assert on_api("application", name="shop", definition=[manifest])["changed"]


def test_requests_and_timing_are_shown_with_verbosity(api: ApiServer, on_api: Run) -> None:
    assert "phases" not in on_api(INFO)
    asked = len(api.requests)
    (phase,) = on_api(INFO, verbosity=1)["phases"]
    assert (phase["phase"], phase["requests"]) == ("prepare", {"GET": len(api.requests) - asked})
    assert phase["seconds"] >= 0


def test_a_number_where_a_map_of_options_belongs_is_refused_in_one_sentence(run_module: Run) -> None:
    for options in ({"kiali": 1}, {"gateway": True}, {"expose": 7}, {"expose": [None]}):
        result = run_module("addons", addons=["kiali"], version="1.29.1", **options)
        assert result["failed"]
        assert next(iter(options)) in result["msg"]
        assert "\n" not in result["msg"]
