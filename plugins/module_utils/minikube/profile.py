# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a minikube profile: as flags, and compared with an existing profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RUNNING = frozenset({"OK", "Running"})
"""The status of a profile whose cluster is running."""


@dataclass(frozen=True)
class Settings:
    """The settings of a profile. None and empty mean minikube's default, and match any value.

    memory is in MiB, versions are without a v.
    """

    cpus: int
    memory: int
    nodes: int = 1
    driver: str | None = None
    kubernetes_version: str | None = None
    registry_mirrors: Sequence[str] = ()

    def flags(self) -> list[str]:
        """Return the flags of `minikube start`, without prompts, and without a change of the current context."""
        flags = ["--interactive=false", "--keep-context", f"--cpus={self.cpus}", f"--memory={self.memory}mb"]
        flags.append(f"--nodes={self.nodes}")
        if self.driver:
            flags.append(f"--driver={self.driver}")
        if self.kubernetes_version:
            flags.append(f"--kubernetes-version=v{_plain(self.kubernetes_version)}")
        return [*flags, *(f"--registry-mirror={mirror}" for mirror in self.registry_mirrors)]

    def differences(self, profile: Mapping[str, Any]) -> list[str]:
        """Return the differences to an existing profile as phrases."""
        config = profile.get("Config") or {}
        kubernetes = (config.get("KubernetesConfig") or {}).get("KubernetesVersion") or ""
        pairs: list[tuple[str, Any, Any]] = [
            ("cpus", config.get("CPUs"), self.cpus),
            ("memory", config.get("Memory"), self.memory),
            ("nodes", len(config.get("Nodes") or ()), self.nodes),
            ("driver", config.get("Driver"), self.driver),
            ("Kubernetes version", _plain(kubernetes), _plain(self.kubernetes_version or "")),
            ("registry mirrors", _joined(config.get("RegistryMirror")), _joined(self.registry_mirrors)),
        ]
        return [
            f"{name} {has or 'none'} instead of {wanted}" for name, has, wanted in pairs if wanted and wanted != has
        ]


def _plain(version: str) -> str:
    return version.removeprefix("v")


def _joined(mirrors: Sequence[str] | None) -> str:
    return ", ".join(mirrors or ())
