# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All modules as ansible-playbook runs them: packed, by their action plugins, with files beside the playbook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.documentation import NAMES
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Play = Callable[..., tuple[dict[str, Any], str]]

NINE = (
    "release",
    "precheck",
    "control_plane",
    "control_plane_info",
    "injection",
    "injection_info",
    "restart",
    "application",
    "ingress_info",
)


@pytest.fixture
def play(lab: Lab, tmp_path: Path) -> Play:
    """Run tasks, given as module and options; returns their results by module, and what was printed."""

    def run(tasks: dict[str, dict[str, Any]], *arguments: str, fails: bool = False) -> tuple[dict[str, Any], str]:
        steps: list[dict[str, Any]] = [
            {f"meshops.istio.{name}": options, "register": f"{name}_result"} for name, options in tasks.items()
        ]
        kept = "{{ dict(names | zip(names | map('regex_replace', '$', '_result') | map('extract', vars))) | to_json }}"
        book = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"names": list(tasks)},
            "module_defaults": {"group/meshops.istio.all": {"kubeconfig": "lab.kubeconfig"}},
            "tasks": [
                *steps,
                {
                    "ansible.builtin.copy": {"content": kept, "dest": str(tmp_path / "results.json"), "mode": "0600"},
                    "check_mode": False,
                },
            ],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([book]), encoding="utf-8")
        shutil.copy(lab.kubeconfig, tmp_path / "lab.kubeconfig")
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(tmp_path / "play.yml"), *arguments]
        environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false"}
        environment.pop("KUBECONFIG", None)
        # From another folder, so that nothing is found but beside the playbook.
        done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        results = {} if fails else json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
        return results, done.stdout + done.stderr

    return run


@pytest.fixture
def tasks(lab: Lab, mesh: dict[str, Any], namespace: str, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Each module once, with all that is read lying beside the playbook."""
    (tmp_path / "files/mesh").mkdir(parents=True)
    for number, overlay in enumerate(mesh["overlays"]):
        shutil.copy(overlay, tmp_path / f"files/mesh/{number}.yaml")
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return {
        "release": lab.release,
        "precheck": {**lab.release, "fail_on": "never"},
        "control_plane": {**mesh, "overlays": ["mesh"]},
        "control_plane_info": {},
        "injection": {"namespaces": [namespace]},
        "injection_info": {"namespaces": [namespace]},
        "restart": {"namespaces": [namespace]},
        "application": {"name": "settings", "namespace": namespace, "src": "settings.yaml"},
        "ingress_info": {},
    }


def test_all_modules(play: Play, tasks: dict[str, dict[str, Any]], lab: Lab) -> None:
    assert set(NINE) == set(tasks) <= set(NAMES)
    begun = now()
    planned, _text = play(tasks, "--check", "--diff")
    assert lab.writes_since(begun) == 0
    assert planned["application"]["changed"]

    done, _text = play(tasks)
    assert done["injection"]["changed"]
    assert done["application"]["changed"]

    begun = now()
    again, _text = play(tasks)
    assert {name for name, result in again.items() if result["changed"]} == set()
    assert lab.writes_since(begun) == 0


def test_a_long_wait_is_shown_while_it_lasts(play: Play, namespace: str) -> None:
    pod = {
        "metadata": {"labels": {"app": "none"}},
        "spec": {"containers": [{"name": "a", "image": "none.invalid/a:1"}]},
    }
    spec = {"selector": {"matchLabels": {"app": "none"}}, "template": pod}
    never = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "never"}, "spec": spec}
    options = {"name": "never", "namespace": namespace, "definition": [never], "wait_timeout": 10}
    _results, text = play({"application": options}, fails=True)
    assert f"  [localhost] waiting for Deployment {namespace}/never: 0/1 replicas available (" in text
    assert has_facts(text, f"timed out waiting for Deployment {namespace}/never & not ready after")


def test_secrets_of_a_kubeconfig_given_as_content_are_nowhere_in_the_output(lab: Lab, tmp_path: Path) -> None:
    content = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
    content["users"][0]["user"] = {"token": "swordfish-1234"}
    task = {"meshops.istio.control_plane_info": {"kubeconfig": content}}
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8"
    )
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvv", str(tmp_path / "play.yml")]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert has_facts(done.stdout + done.stderr, "unauthorized")
    # ansible-core 2.19 quotes the lines of the playbook in which a task failed; those are the user's own.
    shown = (done.stdout + done.stderr).partition("Origin:")[0] + (done.stdout + done.stderr).partition("fatal:")[2]
    assert "swordfish-1234" not in shown
