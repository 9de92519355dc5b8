# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs that hold all that they need: the kubernetes client is not asked, and the server sees the same."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Unreachable
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.kube.connecting import (
    SECRET,
    connect,
    kubeconfig,
    refusal,
    seen,
    written,
)
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def content(api: ApiServer, tmp_path: Path) -> dict[str, Any]:
    """A kubeconfig with certificates in it, for a server that asks for one."""
    certificate, key = make_certificate(tmp_path, "localhost")
    admin, admin_key = make_certificate(tmp_path, "admin")
    api.secure(certificate, key, clients=admin)
    user = {"client-certificate-data": encoded(admin), "client-key-data": encoded(admin_key)}
    return kubeconfig(api.url, user, "dev", **{"certificate-authority-data": encoded(certificate)})


def test_certificates_within_a_kubeconfig(api: ApiServer, content: dict[str, Any]) -> None:
    cluster = connect(kubeconfig=content)
    assert "authorization" not in seen(api, cluster).headers
    with cluster.temporary_kubeconfig() as path:
        assert seen(api, connect(kubeconfig=path))


def test_another_authoritys_certificate_is_not_trusted(content: dict[str, Any], tmp_path: Path) -> None:
    stranger, _key = make_certificate(tmp_path, "stranger")
    content["clusters"][0]["cluster"]["certificate-authority-data"] = encoded(stranger)
    with pytest.raises(Unreachable, match=r"certificate of the API server .* is not trusted"):
        connect(kubeconfig=content).version()


def test_certificates_that_are_none() -> None:
    content = kubeconfig("https://127.0.0.1:1", None, "dev", **{"certificate-authority-data": "c3dvcmRmaXNo"})
    assert has_facts(refusal(kubeconfig=content), "CA certificate & invalid")
    content = kubeconfig("https://127.0.0.1:1", None, "dev", **{"certificate-authority-data": "YWJ"})
    assert has_facts(refusal(kubeconfig=content), "kubeconfig & invalid & context 'dev'")


def test_a_proxy_of_the_environment_is_used(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", api.url)
    request = seen(api, connect(kubeconfig=kubeconfig("http://cluster.example.invalid")))
    assert request.headers["host"] == "cluster.example.invalid"


def test_a_run_does_not_pay_for_the_client_that_it_does_not_need(
    api: ApiServer, content: dict[str, Any], tmp_path: Path
) -> None:
    program = """
import json, os, sys, tempfile
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
Cluster.connect({"kubeconfig": sys.argv[1]}, user_agent="test").version()
print(json.dumps([name for name in ("kubernetes", "requests", "jmespath") if name in sys.modules]))
"""
    command = [sys.executable, "-c", program, written(tmp_path / "config", content)]
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
    assert list(tmp_path.glob("meshops-*")) == []


def test_a_token_within_a_kubeconfig(api: ApiServer) -> None:
    content = kubeconfig(api.url, {"token": f"{SECRET}\n"})
    assert seen(api, connect(kubeconfig=content)).headers["authorization"] == f"Bearer {SECRET}"
