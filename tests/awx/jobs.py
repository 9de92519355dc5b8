# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs jobs as AWX does: by ansible-runner, on a folder of its own with project, inventory, variables and credentials.

What AWX does before a job is done here by its rules: answers are checked against the survey, the defaults of questions
are added, and a credential's inputs become files and environment by the injectors of its type.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from ansible_collections.meshops.istio.tests.awx import rules

AWX = Path(__file__).resolve().parents[2] / "awx"
IDENT = "job"

# AWX's built-in type "OpenShift or Kubernetes API Bearer Token", as it injects it with a CA.
TOKEN_TYPE = {
    "file": {"template.ca": "{{ ssl_ca_cert }}"},
    "env": {
        "K8S_AUTH_HOST": "{{ host }}",
        "K8S_AUTH_API_KEY": "{{ bearer_token }}",
        "K8S_AUTH_VERIFY_SSL": "True",
        "K8S_AUTH_SSL_CA_CERT": "{{ tower.filename.ca }}",
    },
}


@dataclass(frozen=True)
class Credential:
    """A credential: the injectors of its type, and its inputs."""

    injectors: Mapping[str, Mapping[str, str]]
    inputs: Mapping[str, str]


class NotLaunched(Exception):
    """AWX would not start the job; the message is its own."""


@dataclass(frozen=True)
class Job:
    """What came of a job, as AWX reads it back."""

    name: str
    status: str
    events: list[dict[str, Any]]
    stdout: str
    kept: Path

    @property
    def artifact(self) -> dict[str, Any]:
        """The variables that it hands over to the next job."""
        told = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        return dict(told[-1].get("artifact_data") or {}) if told else {}

    @property
    def result(self) -> dict[str, Any]:
        """The artifact mesh_result: by host, what is there."""
        return dict(self.artifact.get("mesh_result") or {})

    @property
    def failures(self) -> dict[str, str]:
        """The message of what failed first on each failed host."""
        failed = [event["event_data"] for event in self.events if event["event"] == "runner_on_failed"]
        return {one["host"]: one["res"].get("msg", "") for one in reversed(failed) if not one.get("ignore_errors")}

    @property
    def text(self) -> str:
        """All that AWX would keep of it: events, output, artifacts, facts."""
        # The command with its environment, where credentials are, is the runner's own, and AWX hides it.
        files = [path for path in self.kept.rglob("*") if path.is_file() and path.name != "command"]
        return "\n".join(
            [json.dumps(self.events), self.stdout, *(file.read_text("utf-8", "replace") for file in files)]
        )


def accepted(survey: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that AWX makes of the answers to a survey. Raises NotLaunched where it refuses them."""
    errors = [error for question in survey["spec"] for error in rules.answer_errors(question, answers)]
    if errors:
        raise NotLaunched(" ".join(errors))
    return {one["variable"]: one["default"] for one in survey["spec"] if "default" in one} | dict(answers)


@dataclass(frozen=True)
class Controller:
    """Where jobs are prepared and run; `home` is that of all of them."""

    folder: Path
    home: Path
    jobs: list[Job]

    def inventory(self, source: str, credential: Credential) -> dict[str, dict[str, Any]]:
        """The hosts of an inventory source with the variables that AWX keeps, as an inventory update reads them."""
        place = self._place("inventory")
        self._prepare(place, place, {}, {}, credential)
        environment = self._environment() | json.loads((place / "env/envvars").read_text(encoding="utf-8"))
        command = [_program("ansible-inventory"), "--inventory", source, "--list", "--export"]
        done = subprocess.run(
            command, cwd=place / "project", env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        read = json.loads(done.stdout)
        shared = read.get("clusters", {}).get("vars", {})
        return {host: {**shared, **read["_meta"]["hostvars"].get(host, {})} for host in read["clusters"]["hosts"]}

    def run(
        self,
        playbook: str,
        hosts: Mapping[str, Mapping[str, Any]],
        variables: Mapping[str, Any],
        credential: Credential | None,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Job:
        """A job on this node."""
        place = self._place(playbook)
        self._prepare(place, place, hosts, variables, credential)
        command = [_program("ansible-runner"), "run", str(place), "--playbook", playbook, "--ident", IDENT, "--quiet"]
        subprocess.run(
            command, env={**self._environment(), **(environment or {})}, capture_output=True, text=True, check=False
        )
        return self._read(playbook, place)

    def stream(
        self,
        playbook: str,
        hosts: Mapping[str, Mapping[str, Any]],
        variables: Mapping[str, Any],
        credential: Credential | None,
    ) -> Job:
        """A job on another node: what it needs goes there through a pipe, and what comes of it comes back by one."""
        sent, there, received = (self._place(f"{name}-{playbook}") for name in ("sent", "there", "received"))
        self._prepare(sent, there, hosts, variables, credential)
        runner, environment = _program("ansible-runner"), self._environment()
        transmit = subprocess.Popen(
            [runner, "transmit", str(sent), "--playbook", playbook, "--ident", IDENT],
            env=environment,
            stdout=subprocess.PIPE,
        )
        worker = subprocess.Popen(
            [runner, "worker", "--private-data-dir", str(there), "--delete"],
            env=environment,
            stdin=transmit.stdout,
            stdout=subprocess.PIPE,
        )
        process = [runner, "process", str(received), "--ident", IDENT]
        subprocess.run(process, env=environment, stdin=worker.stdout, capture_output=True, check=True)
        assert (transmit.wait(), there.exists()) == (0, False), "a worker leaves nothing of a job behind"
        worker.wait()
        return self._read(playbook, received)

    def _place(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name.removesuffix('.yml')}-", dir=self.folder))

    def _environment(self) -> dict[str, str]:
        ours = ("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG", "MESHOPS_", "MESH_", "XDG_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {"HOME": str(self.home)}

    def _prepare(
        self,
        folder: Path,
        there: Path,
        hosts: Mapping[str, Mapping[str, Any]],
        variables: Mapping[str, Any],
        credential: Credential | None,
    ) -> None:
        """A job's folder, whose content will be in `there`."""
        shutil.copytree(AWX / "project", folder / "project")
        (folder / "inventory").mkdir()
        script = folder / "inventory/hosts"
        content = {"all": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
        script.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(content)!r})\n", encoding="utf-8")
        script.chmod(0o700)
        (folder / "env").mkdir(mode=0o700)
        environment = _injected(credential, folder, there) if credential else {}
        environment |= {"ANSIBLE_FORCE_COLOR": "True", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True"}
        for name, data in (("envvars", environment), ("extravars", variables)):
            (folder / "env" / name).write_text(json.dumps(data), encoding="utf-8")

    def _read(self, name: str, place: Path) -> Job:
        kept = place / "artifacts" / IDENT
        read = (json.loads(path.read_text(encoding="utf-8")) for path in kept.glob("job_events/*.json"))
        events = sorted(read, key=lambda event: int(event["counter"]))
        stdout = (kept / "stdout").read_text(encoding="utf-8") if (kept / "stdout").exists() else ""
        job = Job(name, (kept / "status").read_text(encoding="utf-8"), events, stdout, kept)
        self.jobs.append(job)
        return job


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _injected(credential: Credential, folder: Path, there: Path) -> dict[str, str]:
    """The environment of a credential; its files are written."""
    known: dict[str, Any] = {**credential.inputs, "tower": {"filename": {}}}
    for name, template in credential.injectors.get("file", {}).items():
        file = folder / "env" / f"tmp-{name}"
        file.touch(mode=0o600)
        file.write_text(_rendered(template, known), encoding="utf-8")
        known["tower"]["filename"][name.removeprefix("template.")] = str(there / "env" / file.name)
    return {name: _rendered(template, known) for name, template in credential.injectors.get("env", {}).items()}


def _rendered(template: str, known: Mapping[str, Any]) -> str:
    return jinja2.Environment(autoescape=False, keep_trailing_newline=True).from_string(template).render(known)
