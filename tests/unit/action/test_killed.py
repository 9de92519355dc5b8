# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of a play that is killed in the middle: nothing that opens a cluster."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.certificates import make_certificate
from ansible_collections.meshops.istio.tests.support.processes import kill

TOKEN = "canary-token-0f6c1d"


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def left(folder: Path, secrets: list[bytes]) -> list[str]:
    """The files below a folder that hold one of the secrets."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in files if any(secret in path.read_bytes() for secret in secrets)]


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are Linux's")
@pytest.mark.parametrize("more", [{}, {"tls-server-name": "api.example"}], ids=["ours", "by the kubernetes client"])
def test_a_killed_play_leaves_no_credentials(
    more: dict[str, str], silent_server: socket.socket, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path, "admin")
    encoded = {path: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)}
    secrets = [TOKEN.encode(), key.read_bytes().splitlines()[1], encoded[key][:60].encode()]
    key.unlink()
    host, port = silent_server.getsockname()
    cluster = {"server": f"https://{host}:{port}", "certificate-authority-data": encoded[certificate], **more}
    user = {"token": TOKEN, "client-certificate-data": encoded[certificate], "client-key-data": encoded[key]}
    content: dict[str, Any] = {
        "clusters": [{"name": "one", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
        "current-context": "one",
    }
    task = {"meshops.istio.cluster_info": {"kubeconfig": "{{ lookup('ansible.builtin.env', 'GIVEN') | from_json }}"}}
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "GIVEN": json.dumps(content), "HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
    program = Path(sys.executable).with_name("ansible-playbook")
    playing = subprocess.Popen([program, "play.yml"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        connection, _address = silent_server.accept()
    finally:
        kill(f"TMPDIR={tmp_path / 'tmp'}")
    assert playing.wait() == -signal.SIGKILL
    connection.close()
    assert left(tmp_path, secrets) == []
