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
"""Since this release istioctl has flags for whom to act as, and no longer heeds what a kubeconfig says of it."""


_WARNING = re.compile(r"^(?:❗|!) +(.+?)\s*$", re.MULTILINE)
"""A warning of the installer, by the mark that it begins with; releases before 1.19 have a plain one."""

_WARNS_WITHIN = 30.0
"""Seconds that the installer has to say what it warns of, of which it takes one."""


class IstioctlFailed(MeshError):
    """istioctl ended with an error; `output` is what it said."""

    code = "istioctl_failed"

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message, output=output)
        self.output = output


class Istioctl:
    """One release's istioctl, for a cluster and as its user if one is given. `timeout` is in seconds, per run."""

    def __init__(self, release: Release, cluster: Cluster | None = None, *, timeout: float = 120) -> None:
        self.release = release
        self._cluster = cluster
        self._timeout = timeout
        self.hidden: set[str] = set()
        """The remote secrets (namespace/name) that analyses were not shown."""

    @property
    def identity(self) -> str:
        """What tells this binary from another of the same version."""
        status = self.release.istioctl.stat()
        return f"{self.release.version} {status.st_size} {status.st_mtime_ns}"

    def render(
        self, overlays: Sequence[str], sets: Sequence[str] = (), *, charts: Path | None = None
    ) -> list[dict[str, Any]]:
        """The objects of a control plane; with a cluster, those for its own version.

        `overlays` are the texts of IstioOperators. Raises IstioctlFailed.
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
            return read_manifests(self._run(arguments), f"what istioctl {self.release.version} renders")

    def install_warnings(
        self, overlays: Sequence[str], sets: Sequence[str] = (), *, answers: Mapping[str, Any]
    ) -> list[str]:
        """What `istioctl install` warns of before it applies anything, in its own words and order.

        `answers` are what it finds in the cluster, JSON by path, of which `/version` is needed. It never reaches a real
        cluster. Empty where it cannot be run; a configuration that it refuses is for `render` to tell.
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
                answer = subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    timeout=_WARNS_WITHIN,
                    stdin=subprocess.DEVNULL,
                    check=False,
                )
            except (subprocess.TimeoutExpired, OSError):
                return []
        return list(dict.fromkeys(_WARNING.findall(answer.stderr)))

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
        """The objects of a manifest with sidecars in their pods, as `istioctl kube-inject` makes them.

        `injector`, `mesh_config` and `values` are the texts of what a cluster has in the ConfigMaps of its injector and
        of the mesh; all three together need no cluster. Raises IstioctlFailed.
        """
        given = {"--filename": manifest, "--injectConfigFile": injector, "--meshConfigFile": mesh_config}
        given = {flag: text for flag, text in {**given, "--valuesFile": values}.items() if text}
        names = {"--revision": revision, "--istioNamespace": system_namespace}
        with _files(list(given.values())) as paths:
            flags = {**dict(zip(given, paths, strict=True)), **{flag: name for flag, name in names.items() if name}}
            text = self._run(["kube-inject", *(part for flag in flags.items() for part in flag)])
        return read_manifests(text, f"what istioctl {self.release.version} injects")

    def precheck(self, *, namespace: str = "", revision: str = "") -> list[dict[str, Any]]:
        """The messages of `istioctl experimental precheck`, each with code, level, origin, message."""
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
        """The messages of `istioctl analyze`, of all namespaces if none is named.

        `manifests` are texts of what is analyzed as if it were applied. A release that would run what the kubeconfigs
        of remote secrets name is not shown those, which are `hidden` then. Raises IstioctlFailed, also where istioctl
        ends well without a verdict.
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
        """What a check found; that it found something is an error to istioctl.

        With `verdict`, that there is nothing to say has to be said: for what it does not find, as a namespace,
        istioctl prints nothing and exits with 0.
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
                return subprocess.run(
                    command,
                    capture_output=True,
                    text=True,
                    timeout=self._timeout,
                    stdin=subprocess.DEVNULL,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise IstioctlFailed(f"{_named(arguments)} did not end within {self._timeout:.0f} s.", "") from error
            except OSError as error:
                raise IstioctlFailed(
                    f"{self.release.istioctl} cannot be run: {error.strerror or error}.", ""
                ) from error

    @contextlib.contextmanager
    def _access(self) -> Iterator[list[str]]:
        """The flags that lead to the cluster, and say whom to act as there."""
        if self._cluster is None:
            yield []
            return
        user, groups = self._cluster.impersonated
        flags = ["--as", user, *(part for group in groups for part in ("--as-group", group))] if user else []
        with self._cluster.temporary_kubeconfig() as path:
            yield ["--kubeconfig", path, *(flags if self.release.minor >= _IMPERSONATES else ())]

    @contextlib.contextmanager
    def _guarded_access(self) -> Iterator[list[str]]:
        """The flags that lead to the cluster without its remote secrets."""
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
    """The paths of files with these texts, in their order: links, of names that istioctl reads, to files in memory."""
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
    said = first.removeprefix("Error: ").rstrip(".") or f"exit code {answer.returncode}"
    return IstioctlFailed(f"{_named(arguments)} failed: {said}.", output)


def _messages(output: str) -> list[dict[str, Any]] | None:
    """istioctl's JSON, which ends in a sentence for people when there is something to say; None where there is none."""
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
