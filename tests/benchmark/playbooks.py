# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs playbooks as a person does, with the time that each task took."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import BenchmarkError

_CALLBACKS = Path(__file__).resolve().parent / "callbacks"
PING: Mapping[str, Any] = {"ansible.builtin.ping": {}}


@dataclass(frozen=True)
class Task:
    """What came of a task; `seconds` is the task's own time, the start of its process included."""

    action: str
    seconds: float
    changed: bool


@dataclass(frozen=True)
class Play:
    """What came of a run of ansible-playbook; `seconds` is all of its time."""

    seconds: float
    tasks: Sequence[Task]


@dataclass(frozen=True)
class Ansible:
    """An environment with ansible-playbook: ours, or that of a peer. `python` is what modules are run by."""

    programs: Path
    environment: Mapping[str, str]
    python: str | Path = "{{ ansible_playbook_python }}"

    def task(self, task: Mapping[str, Any]) -> Task:
        """Run a playbook of one task."""
        return self.play([task]).tasks[0]

    def play(self, tasks: Sequence[Mapping[str, Any]]) -> Play:
        """Run a playbook of these tasks."""
        variables = {"ansible_python_interpreter": str(self.python)}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
        with tempfile.TemporaryDirectory(prefix="meshops-benchmark-") as folder:
            path = Path(folder) / "play.json"
            path.write_text(json.dumps([play]), encoding="utf-8")
            return self.playbook(str(path))

    def playbook(self, name: str, variables: Mapping[str, Any] | None = None) -> Play:
        """Run a playbook by its path or its name in a collection; raises BenchmarkError where a task fails."""
        with tempfile.TemporaryDirectory(prefix="meshops-benchmark-") as folder:
            durations = Path(folder) / "durations"
            durations.touch()
            command = [str(self.programs / "ansible-playbook"), name, "--extra-vars", json.dumps(variables or {})]
            begun = time.monotonic()
            done = subprocess.run(
                command, env=self._environment(durations), cwd=folder, capture_output=True, text=True, check=False
            )
            seconds = time.monotonic() - begun
            lines = [json.loads(line) for line in durations.read_text(encoding="utf-8").splitlines()]
        if done.returncode != 0:
            failure = next((line["message"] for line in lines if line["failed"]), done.stderr.strip()[-500:])
            raise BenchmarkError(f"{name}: {failure}")
        return Play(seconds, [Task(line["action"], line["seconds"], line["changed"]) for line in lines])

    def _environment(self, durations: Path) -> dict[str, str]:
        # What the caller has set for Ansible or Kubernetes must not decide what is measured.
        own = {
            key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "K8S_", "KUBECONFIG"))
        }
        return {
            **own,
            "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "durations",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "BENCHMARK_DURATIONS": str(durations),
            **self.environment,
        }
