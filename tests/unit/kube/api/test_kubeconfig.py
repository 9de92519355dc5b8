# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs: where they are looked up, what they mean, and what is said of those that cannot be used."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Unauthorized
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, status
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.kube.connecting import (
    SECRET,
    connect,
    kubeconfig,
    refusal,
    seen,
    written,
)
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

# --- where a cluster is looked up ----------------------------------------------------------------------------------


def test_a_kubeconfig_by_its_path(api: ApiServer, tmp_path: Path) -> None:
    cluster = connect(kubeconfig=written(tmp_path / "config", kubeconfig(api.url)))
    request = seen(api, cluster)
    assert (cluster.server, cluster.context) == (api.url, "dev")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["user-agent"] == "meshops.istio/1.2.3"


def test_a_kubeconfig_in_the_home_folder(api: ApiServer) -> None:
    written(Path.home() / ".kube" / "config", kubeconfig(api.url))
    assert seen(api, connect()).headers["authorization"] == f"Bearer {SECRET}"
    assert seen(api, connect(kubeconfig="~/.kube/config"))


@pytest.mark.parametrize("form", [dict, json.dumps, yaml.safe_dump])
def test_a_kubeconfig_by_its_content(api: ApiServer, form: Any) -> None:
    cluster = connect(kubeconfig=form(kubeconfig(api.url)))
    assert seen(api, cluster).headers["authorization"] == f"Bearer {SECRET}"


def test_a_context_by_its_name(api: ApiServer, tmp_path: Path) -> None:
    dev, prod = kubeconfig("http://127.0.0.1:1"), kubeconfig(api.url, {"token": "prod"}, "prod")
    for section in ("clusters", "users", "contexts"):
        dev[section] += prod[section]
    path = written(tmp_path / "config", dev)
    assert connect(kubeconfig=path).context == "dev"
    assert seen(api, connect(kubeconfig=path, context="prod")).headers["authorization"] == "Bearer prod"


def test_a_list_of_kubeconfigs_says_what_they_say_together(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {**kubeconfig(api.url), "users": []}
    second = {**kubeconfig("http://127.0.0.1:1"), "current-context": "other"}
    paths = [written(tmp_path / "a", first), str(tmp_path / "absent"), written(tmp_path / "b", second)]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(paths))
    cluster = connect()
    # The first to name a thing wins; what it leaves out comes from the next.
    assert (cluster.context, cluster.server) == ("dev", api.url)
    assert seen(api, cluster).headers["authorization"] == f"Bearer {SECRET}"


def test_files_beside_a_kubeconfig_are_found_from_anywhere(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site" / "pki"
    folder.mkdir(parents=True)
    server, server_key = make_certificate(folder, "localhost")
    api.secure(server, server_key, clients=make_certificate(folder, "admin")[0])
    (folder / "token").write_text(f"{SECRET}\n")
    user = {"client-certificate": "pki/admin.crt", "client-key": "pki/admin.key", "tokenFile": "pki/token"}
    content = kubeconfig(api.url, user, "dev", **{"certificate-authority": "pki/localhost.crt"})
    path = written(tmp_path / "site" / "config", content)
    monkeypatch.chdir("/")
    cluster = connect(kubeconfig=path)
    assert seen(api, cluster).headers["authorization"] == f"Bearer {SECRET}"
    # So they are by a program that is given the temporary kubeconfig.
    with cluster.temporary_kubeconfig() as temporary:
        assert seen(api, connect(kubeconfig=temporary)).headers["authorization"] == f"Bearer {SECRET}"


def test_a_pod_has_its_service_account(api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubernetes.config import incluster_config

    certificate, key = make_certificate(tmp_path, "localhost")
    api.secure(certificate, key)
    (tmp_path / "token").write_text(SECRET)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(certificate))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", api.url.rpartition(":")[2])
    cluster = connect()
    assert cluster.context is None
    assert seen(api, cluster).headers["authorization"] == f"Bearer {SECRET}"
    with cluster.temporary_kubeconfig() as path:
        assert seen(api, connect(kubeconfig=path)).headers["authorization"] == f"Bearer {SECRET}"


# --- plugins -------------------------------------------------------------------------------------------------------


def plugin(path: Path, script: str) -> dict[str, Any]:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": f"./{path.parent.name}/{path.name}", "interactiveMode": "Never"}}


COUNTS = """
import json, pathlib
file = pathlib.Path(__file__).with_suffix(".count")
number = len(file.read_text()) if file.exists() else 0
file.write_text("x" * (number + 1))
status = {"token": f"token-{number}", "expirationTimestamp": "2020-01-01T00:00:00Z"}
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


def test_a_plugins_token_is_renewed_when_it_expires(api: ApiServer, tmp_path: Path) -> None:
    user = plugin(tmp_path / "bin" / "login", COUNTS)
    cluster = connect(kubeconfig=written(tmp_path / "config", kubeconfig(api.url, user)))
    cluster.version()
    cluster.raw("GET", "/version")
    tokens = [request.headers["authorization"] for request in api.requests]
    assert tokens[0] != tokens[1]
    # Other programs run the plugin for themselves, wherever they find the kubeconfig.
    with cluster.temporary_kubeconfig() as path:
        command = yaml.safe_load(Path(path).read_text())["users"][0]["user"]["exec"]["command"]
    assert command == str(tmp_path / "bin" / "login")


def test_a_plugin_that_fails_says_why(api: ApiServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    user = plugin(tmp_path / "bin" / "login", "raise SystemExit('please log in first')")
    path = written(tmp_path / "config", kubeconfig(api.url, user))
    assert has_facts(
        refusal(kubeconfig=path), "context 'dev' & plugin 'login' & exec: process returned 1. please log in first"
    )
    user["exec"]["command"] = "no-such-plugin"
    assert "No such file or directory: 'no-such-plugin'" in refusal(kubeconfig=kubeconfig(api.url, user))
    assert capfd.readouterr() == ("", "")
    # It is not asked for what is given.
    assert seen(api, connect(kubeconfig=path, api_key=SECRET))


def refused(*tokens: str) -> Any:
    """Answers 401 to these tokens."""
    bearers = {f"Bearer {token}" for token in tokens}
    return lambda request: status(401, "Unauthorized") if request.headers["authorization"] in bearers else None


def test_a_token_that_is_revoked_is_renewed_once_for_all_who_ask(api: ApiServer, tmp_path: Path) -> None:
    user = plugin(tmp_path / "bin" / "login", COUNTS.replace("2020-", "2099-"))
    cluster = connect(kubeconfig=written(tmp_path / "config", kubeconfig(api.url, user)))
    assert seen(api, cluster).headers["authorization"] == "Bearer token-0"
    api.fault = refused("token-0")
    cluster.parallel(lambda _number: cluster.raw("GET", "/version"), range(8))
    assert len((tmp_path / "bin" / "login.count").read_text()) == 2
    api.requests.clear()
    api.fault = refused("token-1", "token-2")
    with pytest.raises(Unauthorized, match=facts_pattern("credentials & context 'dev' & unauthorized")):
        cluster.raw("GET", "/version")
    assert len(api.requests) == 2


def test_what_a_plugin_prints_when_it_fails_has_no_secret(api: ApiServer, tmp_path: Path) -> None:
    told = "cannot refresh: client_secret=hunter2x token canary-0f6c1d https://me:pw1@idp/x eyJhbGciOiJ.eyJzdWIiOiJ"
    user = plugin(tmp_path / "bin" / "login", f"raise SystemExit('{told}')")
    said = refusal(kubeconfig=written(tmp_path / "config", kubeconfig(api.url, user)))
    assert "cannot refresh:" in said
    assert not any(secret in said for secret in ("hunter2x", "canary", "pw1", "eyJ"))


def test_a_plugin_that_fails_later_says_why(api: ApiServer, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "login"
    cluster = connect(kubeconfig=written(tmp_path / "config", kubeconfig(api.url, plugin(script, COUNTS))))
    plugin(script, "raise SystemExit('the session is over')")
    with pytest.raises(Unauthorized) as caught:
        cluster.version()
    assert has_facts(caught.value.message, "context 'dev' & exec: process returned 1. the session is over")


# --- what is refused -----------------------------------------------------------------------------------------------


def test_without_any_cluster() -> None:
    missing = "not found & set kubeconfig & set host"
    assert has_facts(refusal(), f"~/.kube/config & {missing}")
    assert has_facts(refusal(kubeconfig="/no/such/file"), f"/no/such/file & {missing}")


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ("prod", "'prod' & not found & kubeconfig & which has dev"),
        ("", "current context & not found & kubeconfig & which has dev"),
    ],
)
def test_a_context_that_is_missing(context: str, sentence: str) -> None:
    content = kubeconfig("https://127.0.0.1:1")
    content.pop("current-context")
    assert has_facts(refusal(kubeconfig=content, context=context), sentence)


def test_a_kubeconfig_without_contexts() -> None:
    content = {"apiVersion": "v1", "kind": "Config"}
    assert has_facts(refusal(kubeconfig=content, context="dev"), "'dev' & not found & kubeconfig")


@pytest.mark.parametrize(
    "text",
    [
        f"token: {SECRET}\ntoken: {SECRET}\n",
        f"users: [{SECRET}\n",
        f"- {SECRET}\n- 1\n",
        f"clusters: {SECRET}\nusers: {SECRET}\ncontexts: {SECRET}\n",
        f"contexts: [{{name: dev, context: {SECRET}}}]\ncurrent-context: dev\n",
        f"contexts: [{{name: dev, context: {{user: a}}}}]\nusers: [{{name: a, user: {SECRET}}}]\ncurrent-context: dev\n",
    ],
)
def test_what_is_no_kubeconfig_is_refused_without_quoting_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)
    assert refusal(kubeconfig=str(tmp_path / "config")).startswith(f"The kubeconfig {tmp_path / 'config'} ")
    assert refusal(kubeconfig=text).startswith("The content of kubeconfig ")


def test_a_users_entry_that_is_wrong_is_not_quoted(tmp_path: Path) -> None:
    content = kubeconfig("https://127.0.0.1:1")
    content["users"] = [{"name": "dev-user", "token": SECRET}]
    path = written(tmp_path / "config", content)
    assert has_facts(refusal(kubeconfig=path), "invalid & context 'dev'")


def test_a_file_that_a_kubeconfig_names_must_exist(tmp_path: Path) -> None:
    content = kubeconfig("https://127.0.0.1:1", None, "dev", **{"certificate-authority": "ca.crt"})
    path = written(tmp_path / "config", content)
    assert has_facts(refusal(kubeconfig=path), f"{path} & context 'dev' & File does not exist: {tmp_path / 'ca.crt'}")


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"clusters": {"one": {}}}, "clusters"),
        ({"clusters": [{"name": ["one"], "cluster": {}}]}, "clusters[0].name"),
        ({"users": [{"name": "me", "user": "s3cret"}]}, "users[0].user"),
        ({"users": [{"name": "me", "user": {"exec": {"command": "a", "args": "s3cret"}}}]}, "users[0].user.exec.args"),
        ({"contexts": [{"name": "dev", "context": "s3cret"}]}, "contexts[0].context"),
        ({"current-context": ["s3cret"]}, "current-context"),
    ],
)
def test_a_field_of_another_type_is_named_without_its_value(content: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        connect(kubeconfig=content)
    assert field in caught.value.message
    assert "s3cret" not in caught.value.message


def test_a_plugin_that_is_null_is_none(api: ApiServer, tmp_path: Path) -> None:
    content = kubeconfig(api.url, {"token": SECRET, "exec": None})
    assert seen(api, connect(kubeconfig=written(tmp_path / "config", content)))
