# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installers that the collection is compared with, and takes over from."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import flags_of
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.overlays import API_VERSION, KIND
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError

from lab import sources

TIMEOUT = 600
"""Seconds for an install: a few on an idle machine, minutes on one that has too much to do."""

_DONE = "Installation complete"
_CHARTS = {"istio-base": "base", "istiod": "istio-control/istio-discovery"}


def by_istioctl(release: Release, kubeconfig: str, options: Mapping[str, Any]) -> None:
    """Run `istioctl install`; raises MeshError where it refuses."""
    with tempfile.TemporaryDirectory(prefix="meshops-") as folder:
        arguments = install_arguments(options, Path(folder))
        command = [str(release.istioctl), "install", "--skip-confirmation", "--kubeconfig", kubeconfig]
        command += ["--readiness-timeout", f"{TIMEOUT}s", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    # With a namespace's scope there is no injector, and istioctl 1.29.1 crashes over that when all is done.
    if done.returncode != 0 and _DONE not in done.stdout + done.stderr:
        raise MeshError(done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}")


def by_helm(release: Release, kubeconfig: str) -> None:
    """Install the control plane's charts, with their own values, as Istio's documentation says."""
    helm = sources.find(["helm"])["helm"]
    for name, chart in _CHARTS.items():
        command = [str(helm), "upgrade", "--install", name, str(release.manifests / "charts" / chart)]
        command += ["--namespace", "istio-system", "--create-namespace", "--wait", "--kubeconfig", kubeconfig]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise MeshError(done.stderr.strip() or f"helm: exit code {done.returncode}")


def install_arguments(options: Mapping[str, Any], folder: Path) -> list[str]:
    """istioctl's arguments for a control plane's options; what it takes only as a file is written to `folder`."""
    values = {"spec": {"values": options["values"]}} if options.get("values") else None
    arguments: list[str] = []
    for number, overlay in enumerate([*options.get("overlays", ()), *([values] if values else [])]):
        path = overlay
        if isinstance(overlay, Mapping):
            path = folder / f"{number}.yaml"
            path.write_text(json.dumps({"apiVersion": API_VERSION, "kind": KIND, **overlay}), encoding="utf-8")
        arguments += ["--filename", str(path)]
    for name, flag in _FLAGS.items():
        if options.get(name):
            arguments += ["--set", f"{flag}={options[name]}"]
    for setting in flags_of(options.get("set")):
        arguments += ["--set", setting]
    return arguments


_FLAGS = {
    "profile": "profile",
    "revision": "revision",
    "hub": "hub",
    "tag": "tag",
    "platform": "values.global.platform",
    "namespace": "values.global.istioNamespace",
}
