# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options: what the server sees of them, and what other programs are told."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.kube.connecting import SECRET, connect, kubeconfig, refusal, seen
from ansible_collections.meshops.istio.tests.support.messages import has_facts

# --- options of their own ------------------------------------------------------------------------------------------


def test_a_host_and_a_token(api: ApiServer) -> None:
    assert seen(api, connect(host=f"{api.url}/", api_key=SECRET)).headers["authorization"] == f"Bearer {SECRET}"


def test_a_name_and_a_password(api: ApiServer) -> None:
    basic = base64.b64encode(b"admin:swordfish").decode()
    assert seen(api, connect(host=api.url, username="admin", password=SECRET)).headers["authorization"] == (
        f"Basic {basic}"
    )
    user = {"username": "admin", "password": SECRET}
    cluster = connect(kubeconfig=kubeconfig(api.url, user))
    assert seen(api, cluster).headers["authorization"] == f"Basic {basic}"
    with cluster.temporary_kubeconfig() as path:
        assert yaml.safe_load(Path(path).read_text())["users"][0]["user"] == user


def test_client_certificates(api: ApiServer, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "localhost")
    api.secure(certificate, key, certificate)
    files = {"client_cert": str(certificate), "client_key": str(key), "ca_cert": str(certificate)}
    cluster = connect(host=api.url, **files)
    assert "authorization" not in seen(api, cluster).headers
    with cluster.temporary_kubeconfig() as path:
        assert seen(api, connect(kubeconfig=path))


def test_a_certificate_may_go_unchecked(api: ApiServer, tmp_path: Path) -> None:
    api.secure(*make_certificate(tmp_path, "localhost"))
    cluster = connect(host=api.url, api_key=SECRET, validate_certs=False)
    assert seen(api, cluster)
    with cluster.temporary_kubeconfig() as path:
        assert seen(api, connect(kubeconfig=path))


def test_given_credentials_replace_those_of_the_kubeconfig(api: ApiServer) -> None:
    config = kubeconfig(api.url, {"token": "other", "as": "root"})
    cluster = connect(kubeconfig=config, api_key=SECRET)
    request = seen(api, cluster)
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert "impersonate-user" not in request.headers
    cluster = connect(kubeconfig=config, username="admin", password=SECRET)
    assert seen(api, cluster).headers["authorization"].startswith("Basic ")


def test_a_given_host_stays_the_host_when_a_token_is_renewed(api: ApiServer, tmp_path: Path) -> None:
    cluster = connect(kubeconfig=kubeconfig("http://127.0.0.1:1"), host=api.url)
    assert seen(api, cluster).headers["authorization"] == f"Bearer {SECRET}"
    with cluster.temporary_kubeconfig() as path:
        assert yaml.safe_load(Path(path).read_text())["clusters"][0]["cluster"]["server"] == api.url


@pytest.mark.parametrize("where", ["options", "kubeconfig"])
def test_impersonation(api: ApiServer, where: str) -> None:
    options: dict[str, Any] = {"impersonate_user": "jane", "impersonate_groups": ["mesh", "ops"]}
    user = {"token": SECRET, "as": "jane", "as-groups": ["mesh", "ops"]}
    cluster = (
        connect(host=api.url, api_key=SECRET, **options)
        if where == "options"
        else connect(kubeconfig=kubeconfig(api.url, user))
    )
    assert seen(api, cluster).headers["impersonate-user"] == "jane"
    # The server sees a header per group; the last one is what a mapping keeps.
    assert api.requests[-1].groups == ["mesh", "ops"]
    with cluster.temporary_kubeconfig() as path:
        assert yaml.safe_load(Path(path).read_text())["users"][0]["user"] == user


# --- proxies -------------------------------------------------------------------------------------------------------


def test_requests_go_through_a_proxy(api: ApiServer) -> None:
    cluster = connect(
        host="http://cluster.example.invalid",
        api_key=SECRET,
        proxy=api.url,
        proxy_headers={"proxy_basic_auth": "jane:pass word"},
    )
    request = seen(api, cluster)
    assert request.headers["host"] == "cluster.example.invalid"
    assert request.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'jane:pass word').decode()}"
    with cluster.temporary_kubeconfig() as path:
        proxied = yaml.safe_load(Path(path).read_text())["clusters"][0]["cluster"]["proxy-url"]
    assert proxied == api.url.replace("//", "//jane:pass%20word@")


def test_a_proxys_url_may_hold_its_password(api: ApiServer) -> None:
    proxy = api.url.replace("//", "//jane:secret@")
    content = kubeconfig("http://cluster.example.invalid", None, "dev", **{"proxy-url": proxy})
    request = seen(api, connect(kubeconfig=content))
    assert request.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'jane:secret').decode()}"


def test_some_hosts_need_no_proxy(api: ApiServer) -> None:
    cluster = connect(host=api.url, api_key=SECRET, proxy="http://127.0.0.1:1", no_proxy="127.0.0.1")
    assert seen(api, cluster)
    with cluster.temporary_kubeconfig() as path:
        assert "proxy-url" not in Path(path).read_text()


# --- the temporary kubeconfig --------------------------------------------------------------------------------------


def test_a_temporary_kubeconfig_is_nobody_elses_and_goes(api: ApiServer, capfd: pytest.CaptureFixture[str]) -> None:
    cluster = connect(kubeconfig=kubeconfig(api.url))
    with cluster.temporary_kubeconfig() as path:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert seen(api, connect(kubeconfig=path)).headers["authorization"] == f"Bearer {SECRET}"
        assert connect(kubeconfig=path).context == "dev"
    assert not os.path.exists(path)
    assert capfd.readouterr() == ("", "")


def test_a_temporary_kubeconfig_goes_when_its_reader_fails(api: ApiServer) -> None:
    cluster = connect(host=api.url, api_key=SECRET)
    with pytest.raises(RuntimeError), cluster.temporary_kubeconfig() as path:
        raise RuntimeError
    assert not os.path.exists(path)


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["ca_cert", "client_cert", "client_key"])
def test_a_file_that_is_given_must_exist(option: str) -> None:
    options = {"host": "https://127.0.0.1:1", "client_cert": __file__, option: "/no/such/file"}
    assert has_facts(refusal(**options), f"/no/such/file & {option} & not found")


@pytest.mark.parametrize(("option", "what"), [("ca_cert", "CA certificate"), ("client_cert", "client certificate")])
def test_a_file_that_holds_no_certificate(option: str, what: str) -> None:
    message = refusal(host="https://127.0.0.1:1", api_key=SECRET, **{option: __file__})
    assert has_facts(message, f"https://127.0.0.1:1 & {what} & invalid")


@pytest.mark.parametrize("host", ["https://[::1", "https://a b", "https://a\nb", "https://a\x00b"])
def test_a_host_that_is_malformed(host: str) -> None:
    message = refusal(host=host, api_key=SECRET)
    assert has_facts(message, "host & invalid")
    assert "\n" not in message


def test_a_proxy_that_is_malformed() -> None:
    message = refusal(host="https://127.0.0.1:1", api_key=SECRET, proxy="http://me:s3cret@[")
    assert "proxy" in message
    assert "s3cret" not in message


@pytest.mark.parametrize("host", ["127.0.0.1:6443", "cluster.example.com"])
def test_a_host_is_a_url(host: str) -> None:
    assert has_facts(refusal(host=host, api_key=SECRET), f"'{host}' & invalid & https://{host}.")
