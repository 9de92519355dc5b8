# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run minikube, and parse its output: events as lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..kube import processes
from ..kube.api import kubeconfig as kubeconfigs
from ..kube.errors import InvalidInput, MeshError
from ..kube.progress import Progress

_EVENT = "io.k8s.sigs.minikube."
_QUIET = {"MINIKUBE_IN_STYLE": "false", "MINIKUBE_WANTUPDATENOTIFICATION": "false"}


class MinikubeFailed(MeshError):
    """minikube failed; `details`: the name of its error, its advice, and the exit code."""

    code = "minikube_failed"


class Minikube:
    """The program, for one profile. `kubeconfig`: the file for the context; None means the user's."""

    def __init__(self, program: str, profile: str, *, kubeconfig: str | None = None) -> None:
        found = shutil.which(os.path.expanduser(program))
        if found is None:
            raise InvalidInput(
                f"Program {program} not found on this machine. Install minikube, or set program to its path.",
                program=program,
            )
        self.program = found
        self.profile = profile
        self.environment = {**os.environ, **_QUIET, **({"KUBECONFIG": kubeconfig} if kubeconfig else {})}

    @property
    def kubeconfig(self) -> str:
        """Return the path of the kubeconfig that it writes to: the first of several."""
        named = self.environment.get("KUBECONFIG") or kubeconfigs.DEFAULT
        return os.path.abspath(os.path.expanduser(named.split(os.pathsep)[0]))

    def contexts(self) -> dict[str, str]:
        """Return the contexts of that kubeconfig, if it exists."""
        try:
            return kubeconfigs.contexts(self.kubeconfig)
        except InvalidInput:
            return {}

    def version(self) -> str:
        """Return its version, without a v."""
        return str(self._answer("version").get("minikubeVersion", "")).removeprefix("v")

    def profiles(self) -> tuple[dict[str, dict[str, Any]], set[str]]:
        """Return its profiles by name, and the names of invalid ones."""
        answer = self._answer("profile", "list")
        return (
            {one["Name"]: one for one in answer.get("valid") or ()},
            {one["Name"] for one in answer.get("invalid") or ()},
        )

    def start(self, flags: list[str], *, timeout: int, progress: Progress, dry_run: bool = False) -> None:
        """Create or start the cluster; with `dry_run` only check that this is possible. Raises MinikubeFailed."""
        dry = ["--dry-run"] if dry_run else []
        self._run("start", *dry, *flags, timeout=timeout, progress=progress)

    def delete(self, *, timeout: int, progress: Progress) -> None:
        """Delete the cluster and its profile."""
        self._run("delete", timeout=timeout, progress=progress)

    def update_context(self) -> None:
        """Write the profile's context to the kubeconfig again."""
        self._text("update-context")

    def ip(self) -> str:
        """Return the address of its first node."""
        return self._text("ip")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line for the profile."""
        return [self.program, *arguments, "--profile", self.profile]

    def _text(self, *arguments: str) -> str:
        done = self._done(self.command(*arguments))
        if done.returncode:
            raise _failure(arguments[0], done.returncode, {}, done.stderr or done.stdout)
        return done.stdout.strip()

    def _answer(self, *arguments: str) -> dict[str, Any]:
        # `profile list` fails if there is no profile yet, which is in its output.
        done = self._done([self.program, *arguments, "--output", "json"])
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise _failure(" ".join(arguments), done.returncode, {}, done.stderr or done.stdout) from None
        return answer if isinstance(answer, dict) else {}

    def _done(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return processes.run(words, environment=self.environment, timeout=120)
        except subprocess.TimeoutExpired:
            raise MinikubeFailed(
                f"Timed out waiting for `{' '.join(words)}`, which did not end within 120 s."
            ) from None

    def _run(self, command: str, *arguments: str, timeout: int, progress: Progress) -> None:
        words = self.command(command, *arguments, "--output", "json")
        error: Mapping[str, str] = {}
        output: list[str] = []
        with processes.Process(words, environment=self.environment, stderr=subprocess.STDOUT) as process:
            timer = threading.Timer(timeout, process.kill)
            timer.start()
            try:
                for kind, data in _events(process.stdout or (), output):
                    if kind == "error":
                        error = data
                    elif kind == "step":
                        progress(data.get("message", ""))
                code = process.wait()
            finally:
                timed_out = not timer.is_alive()
                timer.cancel()
                process.kill()
        if code and timed_out:
            raise MinikubeFailed(
                f"Timed out waiting for `minikube {command}` of profile {self.profile} after {timeout} s. Set a longer timeout."
            )
        if code:
            raise _failure(command, code, error, "\n".join(output[-5:]))


def _events(lines: Any, output: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the events in `lines`; add the other lines to `output`."""
    for line in lines:
        try:
            event = json.loads(line)
            yield event["type"].removeprefix(_EVENT), event["data"]
        except (ValueError, TypeError, KeyError):
            if line.strip():
                output.append(line.strip())


def _failure(command: str, code: int, error: Mapping[str, str], output: str) -> MinikubeFailed:
    """Return an error of one line for the output of minikube."""
    what = _sentence(error.get("message") or output or f"exit code {code}")
    advice = _sentence(error.get("advice") or "")
    return MinikubeFailed(
        f"`minikube {command}` failed: {what}" + (f" minikube suggests: {advice}" if advice else ""),
        name=error.get("name", ""),
        exit_code=code,
    )


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined if not joined or joined.endswith((".", "!", "?")) else f"{joined}."
