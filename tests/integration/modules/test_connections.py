# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to connect: each reaches the lab's cluster."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_ready
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

BINDING = Kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")


@pytest.fixture
def kubeconfig(lab: Lab) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
    return content


@pytest.fixture
def files(kubeconfig: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """The kubeconfig's certificates as files, by the option that takes each."""
    user, cluster = kubeconfig["users"][0]["user"], kubeconfig["clusters"][0]["cluster"]
    parts = {
        "client_cert": (user, "client-certificate"),
        "client_key": (user, "client-key"),
        "ca_cert": (cluster, "certificate-authority"),
    }
    found = {}
    for option, (entry, name) in parts.items():
        path = tmp_path / option
        data = entry.get(f"{name}-data")
        path.write_bytes(base64.b64decode(data) if data else Path(entry[name]).read_bytes())
        found[option] = str(path)
    return found


@pytest.fixture
def token(cluster: Cluster, namespace: str) -> Iterator[str]:
    """The token of a service account that may read everything."""
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    manifest = {
        "apiVersion": BINDING.api_version,
        "kind": BINDING.kind,
        "metadata": {"name": namespace},
        "subjects": [subject],
        "roleRef": role,
    }
    cluster.create(manifest, manager="tests")
    # A namespace gets its account a moment after it is created.
    account = Key("v1", "ServiceAccount", namespace, "default")
    wait_ready(cluster, [account], timeout=30, progress=silent)
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    yield cluster.raw("POST", path, body)["status"]["token"]
    cluster.delete(BINDING, namespace)


def server(kubeconfig: dict[str, Any]) -> str:
    return str(kubeconfig["clusters"][0]["cluster"]["server"])


@pytest.mark.parametrize("form", ["dictionary", "yaml", "json"])
def test_a_kubeconfigs_content(form: str, run: Run, kubeconfig: dict[str, Any]) -> None:
    forms = {"dictionary": kubeconfig, "yaml": yaml.safe_dump(kubeconfig), "json": json.dumps(kubeconfig)}
    assert run("control_plane_info", kubeconfig=forms[form])["server"] == server(kubeconfig)


def test_a_host_with_certificates(run: Run, kubeconfig: dict[str, Any], files: dict[str, str]) -> None:
    assert run("control_plane_info", kubeconfig=None, host=server(kubeconfig), **files)["kubernetes"]


def test_a_host_with_a_token(run: Run, kubeconfig: dict[str, Any], files: dict[str, str], token: str) -> None:
    options = {"kubeconfig": None, "host": server(kubeconfig), "api_key": token}
    assert run("control_plane_info", **options, ca_cert=files["ca_cert"])["kubernetes"]
    assert run("control_plane_info", **options, validate_certs=False)["kubernetes"]


def test_a_certificate_that_nobody_vouches_for(
    refused: Run, kubeconfig: dict[str, Any], files: dict[str, str], token: str
) -> None:
    options = {"kubeconfig": None, "host": server(kubeconfig), "api_key": token, "ca_cert": files["client_cert"]}
    assert "is not trusted" in refused("control_plane_info", **options)["msg"]


def test_an_exec_plugin(run: Run, kubeconfig: dict[str, Any], token: str, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token},
    }
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n", encoding="utf-8")
    plugin.chmod(0o755)
    command = {"apiVersion": credential["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    kubeconfig["users"][0]["user"] = {"exec": command}
    assert run("control_plane_info", kubeconfig=kubeconfig)["kubernetes"]


def test_acting_as_someone_else(run: Run) -> None:
    as_nobody = {"impersonate_user": "nobody", "impersonate_groups": ["nobodies"]}
    failed = run("control_plane_info", fails=True, **as_nobody)
    assert has_facts(failed["msg"], "forbidden & user 'nobody' & permission")
    as_master = {"impersonate_user": "somebody", "impersonate_groups": ["system:masters"]}
    assert run("control_plane_info", **as_master)["kubernetes"]
