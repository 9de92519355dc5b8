# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""minikube's command line: run, and read as it speaks to programs, lines of JSON that are events."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..kube.api import kubeconfig as kubeconfigs
from ..kube.errors import InvalidInput, MeshError
from ..kube.progress import Progress

_EVENT = "io.k8s.sigs.minikube."
_QUIET = {"MINIKUBE_IN_STYLE": "false", "MINIKUBE_WANTUPDATENOTIFICATION": "false"}


class MinikubeFailed(MeshError):
    """minikube said no: `details` has its own name of the error, its advice and its exit code."""

    code = "minikube_failed"


class Minikube:
    """The program, for one profile. `kubeconfig` is where it writes the context; None is the user's own."""

    def __init__(self, program: str, profile: str, *, kubeconfig: str | None = None) -> None:
        found = shutil.which(os.path.expanduser(program))
        if found is None:
            raise InvalidInput(
                f"There is no program {program} on this machine; install minikube, or name the path of one.",
                program=program,
            )
        self.program = found
        self.profile = profile
        self.environment = {**os.environ, **_QUIET, **({"KUBECONFIG": kubeconfig} if kubeconfig else {})}

    @property
    def kubeconfig(self) -> str:
        """The path of the kubeconfig that it writes to: the first of several."""
        named = self.environment.get("KUBECONFIG") or kubeconfigs.DEFAULT
        return os.path.abspath(os.path.expanduser(named.split(os.pathsep)[0]))

    def contexts(self) -> dict[str, str]:
        """The contexts of that kubeconfig; none where there is none."""
        try:
            return kubeconfigs.contexts(self.kubeconfig)
        except InvalidInput:
            return {}

    def version(self) -> str:
        """Its version, without a v."""
        return str(self._answer("version").get("minikubeVersion", "")).removeprefix("v")

    def profiles(self) -> tuple[dict[str, dict[str, Any]], set[str]]:
        """Its profiles by name, as it describes them, and the names of those of which it has only traces."""
        answer = self._answer("profile", "list")
        return (
            {one["Name"]: one for one in answer.get("valid") or ()},
            {one["Name"] for one in answer.get("invalid") or ()},
        )

    def start(self, flags: list[str], *, timeout: int, progress: Progress, dry_run: bool = False) -> None:
        """Make or start the cluster; only look whether that would do with `dry_run`. Raises MinikubeFailed."""
        dry = ["--dry-run"] if dry_run else []
        self._run("start", *dry, *flags, timeout=timeout, progress=progress)

    def delete(self, *, timeout: int, progress: Progress) -> None:
        """Remove the cluster and its profile."""
        self._run("delete", timeout=timeout, progress=progress)

    def update_context(self) -> None:
        """Have the profile's context in the kubeconfig again."""
        self._text("update-context")

    def ip(self) -> str:
        """The address of its first node."""
        return self._text("ip")

    def command(self, *arguments: str) -> list[str]:
        """The words of a command line for the profile."""
        return [self.program, *arguments, "--profile", self.profile]

    def _text(self, *arguments: str) -> str:
        done = self._done(self.command(*arguments))
        if done.returncode:
            raise _failure(arguments[0], done.returncode, {}, done.stderr or done.stdout)
        return done.stdout.strip()

    def _answer(self, *arguments: str) -> dict[str, Any]:
        # `profile list` fails where there is none yet, and says so in its answer.
        done = self._done([self.program, *arguments, "--output", "json"])
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise _failure(" ".join(arguments), done.returncode, {}, done.stderr or done.stdout) from None
        return answer if isinstance(answer, dict) else {}

    def _done(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        except subprocess.TimeoutExpired:
            raise MinikubeFailed(f"`{' '.join(words)}` did not answer within 120 s.") from None

    def _run(self, command: str, *arguments: str, timeout: int, progress: Progress) -> None:
        words = self.command(command, *arguments, "--output", "json")
        error: Mapping[str, str] = {}
        said: list[str] = []
        with subprocess.Popen(
            words,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            timer = threading.Timer(timeout, process.kill)
            timer.start()
            try:
                for kind, data in _events(process.stdout or (), said):
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
            raise MinikubeFailed(f"`minikube {command}` of the profile {self.profile} took longer than {timeout} s.")
        if code:
            raise _failure(command, code, error, "\n".join(said[-5:]))


def _events(lines: Any, said: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The events among `lines`; what is none is added to `said`."""
    for line in lines:
        try:
            event = json.loads(line)
            yield event["type"].removeprefix(_EVENT), event["data"]
        except (ValueError, TypeError, KeyError):
            if line.strip():
                said.append(line.strip())


def _failure(command: str, code: int, error: Mapping[str, str], said: str) -> MinikubeFailed:
    """One sentence of what minikube says in many lines."""
    what = _sentence(error.get("message") or said or f"it ended with exit code {code}")
    advice = _sentence(error.get("advice") or "")
    return MinikubeFailed(
        f"`minikube {command}` failed: {what}" + (f" Its advice: {advice}" if advice else ""),
        name=error.get("name", ""),
        exit_code=code,
    )


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined if not joined or joined.endswith((".", "!", "?")) else f"{joined}."
