# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback plugin that writes JSON has standard output to itself: progress, changes and the summary go elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_program

NAMESPACES = "/api/v1/namespaces"
# As ansible.posix.json does, which ansible-core does not have: one document, when the run is over.
CALLBACK = '''
DOCUMENTATION = """
name: one_json
type: stdout
short_description: one document
"""
import json
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "stdout", "one_json"

    def __init__(self):
        super().__init__()
        self.results = []

    def v2_runner_on_ok(self, result):
        # ansible-core before 2.20 has a private name for it.
        found = getattr(result, "result", None) or result._result
        self.results.append({name: found.get(name) for name in ("changed", "changes", "status")})

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps({"results": self.results, "custom": stats.custom}))
'''
PLAY = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [
        {"meshops.istio.injection": {"namespaces": ["shop"]}},
        {"meshops.istio.summary": {"results": {"localhost": {"verify": {"ok": True, "checks": []}}}}},
    ],
}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server with a namespace without labels."""
    with ApiServer() as server:
        server.put(f"{NAMESPACES}/shop", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        yield server


def play(api: ApiServer, folder: Path, callback: str) -> Run:
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "one_json.py").write_text(CALLBACK, encoding="utf-8")
    (folder / "play.yml").write_text(yaml.safe_dump([PLAY]), encoding="utf-8")
    environment = {
        "ANSIBLE_CALLBACK_PLUGINS": str(folder / "callbacks"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "K8S_AUTH_HOST": api.url,
        "K8S_AUTH_API_KEY": "swordfish",
    }
    return run_program("ansible-playbook", "play.yml", folder=folder, home=folder, environment=environment)


def test_standard_output_is_json(api: ApiServer, tmp_path: Path) -> None:
    run = play(api, tmp_path, "one_json")
    assert run.returncode == 0, run.text
    written = json.loads(run.output)
    first, last = written["results"]
    assert first["changes"] == [
        {"action": "update", "api_version": "v1", "kind": "Namespace", "namespace": "", "name": "shop"}
    ]
    assert last["status"] == "clean"
    assert "mesh_result" in json.dumps(written["custom"])
    # What a person wants to know is not lost.
    assert "changed: " in run.errors
    assert "Namespace" in run.errors


def test_with_ansibles_own_callback_all_of_it_is_on_standard_output(api: ApiServer, tmp_path: Path) -> None:
    run = play(api, tmp_path, "default")
    assert run.returncode == 0, run.text
    assert "changed: " in run.output
    assert "changed: " not in run.errors
