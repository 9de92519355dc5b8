# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a release's istioctl: render manifests, check a cluster, analyze configuration."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kube import processes
from ...kube.api.memory_file import memory_file
from ...kube.errors import MeshError
from ...kube.objects.objects import read_manifests
from ...kube.yaml.text_encoding import normalised
from ..model import labels
from .empty_api_server import empty_api
from .release import Release
from .versions import runs_remote_secrets

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_IMPERSONATES = (1, 24)
"""The first release with flags for impersonation, which ignores impersonation in a kubeconfig."""


_WARNING = re.compile(r"(?:❗|!) +(.+?)\s*|\t\* +(.+?)\s*")
"""A warning of the installer, by its first character (releases before 1.19 use '!'), or one of a list of warnings."""
_LIST = re.compile(r"\d+ errors? occurred:")

_WARNS_WITHIN = 30.0
"""Timeout in seconds for the installer's warnings, which take about one."""


class IstioctlFailed(MeshError):
    """istioctl failed; `output` is its output."""

    code = "istioctl_failed"

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message, output=output)
        self.output = output


class Istioctl:
    """The istioctl of a release, optionally for a cluster and its user. `timeout` is in seconds, per command."""

    def __init__(self, release: Release, cluster: Cluster | None = None, *, timeout: float = 120) -> None:
        self.release = release
        self._cluster = cluster
        self._timeout = timeout
        self.hidden: set[str] = set()
        """The remote secrets (namespace/name) that were hidden from analyses."""

    @property
    def identity(self) -> str:
        """Identifies this binary among others of the same version."""
        status = self.release.istioctl.stat()
        return f"{self.release.version} {status.st_size} {status.st_mtime_ns}"

    def render(
        self, overlays: Sequence[str], sets: Sequence[str] = (), *, charts: Path | None = None
    ) -> list[dict[str, Any]]:
        """Render the objects of a control plane; with a cluster, for its version.

        `overlays`: texts of IstioOperators. Raises IstioctlFailed.
        """
        with _files(overlays) as paths:
            arguments = ["manifest", "generate"]
            for path in paths:
                arguments += ["-f", path]
            for flag in sets:
                arguments += ["--set", flag]
            if charts:
                arguments += ["--manifests", str(charts)]
            if self._cluster:
                arguments.append("--cluster-specific")
            return read_manifests(
                self._run(arguments), f"the output of istioctl {self.release.version} manifest generate"
            )

    def install_warnings(
        self, overlays: Sequence[str], sets: Sequence[str] = (), *, answers: Mapping[str, Any]
    ) -> list[str]:
        """Return the warnings of `istioctl install` before it applies anything, unchanged and in order.

        `answers`: what it reads from the cluster, JSON by path; `/version` is required. It never reaches a real cluster.
        Empty if it fails; `render` reports errors in the configuration.
        """
        with empty_api(answers) as kubeconfig, _files([*overlays, kubeconfig]) as paths:
            *files, access = paths
            command = [
                str(self.release.istioctl),
                "install",
                "--dry-run",
                "--skip-confirmation",
                "--kubeconfig",
                access,
            ]
            command += [part for path in files for part in ("-f", path)]
            command += [part for flag in sets for part in ("--set", flag)]
            try:
                answer = processes.run(command, timeout=_WARNS_WITHIN)
            except (subprocess.TimeoutExpired, OSError):
                return []
        found = [match[1] or match[2] for line in answer.stderr.splitlines() if (match := _WARNING.fullmatch(line))]
        return [one for one in dict.fromkeys(found) if not _LIST.fullmatch(one)]

    def inject(
        self,
        manifest: str,
        *,
        revision: str = "",
        system_namespace: str = "",
        injector: str = "",
        mesh_config: str = "",
        values: str = "",
    ) -> list[dict[str, Any]]:
        """Inject sidecars into the pods of a manifest by `istioctl kube-inject`.

        `injector`, `mesh_config` and `values`: texts from the ConfigMaps of the injector and the mesh; with all three, no
        cluster is needed. Raises IstioctlFailed.
        """
        given = {"--filename": manifest, "--injectConfigFile": injector, "--meshConfigFile": mesh_config}
        given = {flag: text for flag, text in {**given, "--valuesFile": values}.items() if text}
        names = {"--revision": revision, "--istioNamespace": system_namespace}
        with _files(list(given.values())) as paths:
            flags = {**dict(zip(given, paths, strict=True)), **{flag: name for flag, name in names.items() if name}}
            text = self._run(["kube-inject", *(part for flag in flags.items() for part in flag)])
        return read_manifests(text, f"the output of istioctl {self.release.version} kube-inject")

    def precheck(self, *, namespace: str = "", revision: str = "") -> list[dict[str, Any]]:
        """Return the messages of `istioctl experimental precheck`, each with code, level, origin, message."""
        arguments = ["experimental", "precheck", "-o", "json"]
        if revision and revision != "default":
            arguments += ["--revision", revision]
        if namespace:
            arguments += ["--istioNamespace", namespace]
        return self._report(arguments)

    def analyze(
        self,
        *,
        namespaces: Sequence[str] = (),
        manifests: Sequence[str] = (),
        system_namespace: str = "",
        revision: str = "",
    ) -> list[dict[str, Any]]:
        """Return the messages of `istioctl analyze` for some namespaces, all if empty.

        `manifests`: texts to analyze as if they were applied. Remote secrets are hidden from releases that would run the
        exec plugins in their kubeconfigs, and listed in `hidden`. Raises IstioctlFailed, also if istioctl succeeds without
        any output.
        """
        arguments = ["-o", "json", "--failure-threshold", "Error", "--timeout", f"{self._timeout:.0f}s"]
        if system_namespace:
            arguments += ["--istioNamespace", system_namespace]
        if revision:
            arguments += ["--revision", revision]
        found: list[dict[str, Any]] = []
        guarded = runs_remote_secrets(self.release.version)
        with _files(manifests) as files:
            for scope in [["--namespace", name] for name in namespaces] or [["--all-namespaces"]]:
                found += self._report(["analyze", *arguments, *scope, *files], verdict=True, guarded=guarded)
        return [message for number, message in enumerate(found) if message not in found[:number]]

    def _report(
        self, arguments: Sequence[str], *, verdict: bool = False, guarded: bool = False
    ) -> list[dict[str, Any]]:
        """Return the messages of a check; istioctl exits with an error if there are any.

        With `verdict`, require output: for a namespace that is not found, istioctl prints nothing and exits with 0.
        """
        answer = self._answer(arguments, self._guarded_access() if guarded else self._access())
        messages = _messages(answer.stdout)
        if messages is None and (verdict or answer.returncode != 0):
            raise _failure(arguments, answer)
        return messages or []

    def _run(self, arguments: Sequence[str]) -> str:
        answer = self._answer(arguments, self._access())
        if answer.returncode != 0:
            raise _failure(arguments, answer)
        return answer.stdout

    def _answer(
        self, arguments: Sequence[str], access: AbstractContextManager[list[str]]
    ) -> subprocess.CompletedProcess[str]:
        with access as flags:
            command = [str(self.release.istioctl), *arguments, *flags]
            try:
                return processes.run(command, timeout=self._timeout)
            except subprocess.TimeoutExpired as error:
                raise IstioctlFailed(
                    f"Timed out waiting for {_named(arguments)} after {self._timeout:.0f} s. Check the cluster's API"
                    " server, and run it again.",
                    "",
                ) from error
            except OSError as error:
                raise IstioctlFailed(
                    f"Cannot run {self.release.istioctl}: {error.strerror or error}. Check the file and its permissions.",
                    "",
                ) from error

    @contextlib.contextmanager
    def _access(self) -> Iterator[list[str]]:
        """Yield the flags for the cluster and the impersonated user."""
        if self._cluster is None:
            yield []
            return
        user, groups = self._cluster.impersonated
        flags = ["--as", user, *(part for group in groups for part in ("--as-group", group))] if user else []
        with self._cluster.temporary_kubeconfig() as path:
            yield ["--kubeconfig", path, *(flags if self.release.minor >= _IMPERSONATES else ())]

    @contextlib.contextmanager
    def _guarded_access(self) -> Iterator[list[str]]:
        """Yield the flags for a proxy of the cluster that hides its remote secrets."""
        if self._cluster is None:
            yield []
            return
        with self._cluster.relay(hide=labels.REMOTE_CLUSTER) as relay:
            try:
                yield ["--kubeconfig", relay.kubeconfig]
            finally:
                self.hidden |= relay.hidden


@contextlib.contextmanager
def _files(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield the paths of files with these texts: links, with an extension that istioctl accepts, to files in memory."""
    with tempfile.TemporaryDirectory(prefix="meshops-") as folder, contextlib.ExitStack() as held:
        paths = [Path(folder) / f"{number}.yaml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.symlink_to(held.enter_context(memory_file(normalised(text).encode(errors="replace"))))
        yield [str(path) for path in paths]


def _named(arguments: Sequence[str]) -> str:
    return " ".join(["istioctl", *itertools.takewhile(lambda one: not one.startswith("-"), arguments)])


def _failure(arguments: Sequence[str], answer: subprocess.CompletedProcess[str]) -> IstioctlFailed:
    output = answer.stderr.strip() or answer.stdout.strip()
    first = next((line for line in output.splitlines() if line.startswith("Error: ")), output.partition("\n")[0])
    message = first.removeprefix("Error: ").rstrip(".") or f"exit code {answer.returncode}"
    return IstioctlFailed(f"{_named(arguments)} failed: {message}.", output)


def _messages(output: str) -> list[dict[str, Any]] | None:
    """Parse istioctl's JSON, which text may follow; None if there is none."""
    start = min((index for index in (output.find("["), output.find("{")) if index >= 0), default=-1)
    if start < 0:
        return None
    found, _end = json.JSONDecoder().raw_decode(output[start:])
    return [_message(item) for item in (found if isinstance(found, list) else [found])]


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    message = {name: item.get(name, "") for name in ("code", "level", "origin", "message")}
    message["level"] = str(message["level"]).lower()
    if item.get("documentationUrl"):
        message["reference"] = item["documentationUrl"].partition("?")[0]
    return message
