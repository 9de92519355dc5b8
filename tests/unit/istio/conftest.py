# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release whose istioctl is a small program: it prints what a test has it print, and notes how it was called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release

PROFILES = {
    "default": {
        "metadata": {"namespace": "istio-system"},
        "spec": {
            "hub": "docker.io/istio",
            "components": {"ingressGateways": [{"name": "istio-ingressgateway", "enabled": True}]},
            "values": {"global": {"istioNamespace": "istio-system"}},
        },
    },
    "demo": {"spec": {"values": {"profile": "demo"}}},
}
SCRIPT = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in install) cat "{warnings}" >&2; exit 1 ;; esac
if [ -f "{error}" ]; then cat "{error}" >&2; exit 1; fi
case "$*" in *--manifests*) cat "{tags}" ;; *) cat "{output}" ;; esac
"""


class MadeRelease:
    """A folder with the layout of a release."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.release = Release("1.29.1", root)
        self._calls = root / "calls"
        for name, profile in PROFILES.items():
            self.write(f"manifests/profiles/{name}.yaml", yaml.safe_dump(profile))
        self.write("manifests/charts/default/Chart.yaml", "name: default\n")
        self.write("manifests/charts/base/files/profile-platform-gke.yaml", "cni: {}\n")
        self.write("manifests/charts/base/files/profile-platform-k3s.yaml", "cni: {}\n")
        names = {name: root / name for name in ("calls", "error", "tags", "output", "warnings")}
        self.write("bin/istioctl", SCRIPT.format(**names)).chmod(0o755)
        self.renders()
        self.renders(tags=True)
        self.warns("")

    def write(self, path: str, text: str) -> Path:
        """Put a file into the release."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def renders(self, *objects: dict[str, Any], tags: bool = False) -> None:
        """What its istioctl prints from now on, for a control plane or for the objects of a tag."""
        self.write("tags" if tags else "output", "---\n".join(json.dumps(obj) + "\n" for obj in objects))

    def fails(self, message: str) -> None:
        """Have its istioctl end with an error."""
        self.write("error", message)

    def warns(self, text: str) -> None:
        """What its installer prints before it applies anything."""
        self.write("warnings", text)

    @property
    def calls(self) -> list[str]:
        """The arguments of each run so far."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def made(tmp_path: Path) -> MadeRelease:
    return MadeRelease(tmp_path / "istio-1.29.1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def operator() -> Callable[..., dict[str, Any]]:
    """Makes an inline IstioOperator of its spec."""

    def make(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
        head = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
        return {**head, "metadata": metadata} if metadata else head

    return make
