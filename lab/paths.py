# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lab keeps things: a cache that outlives labs, and one folder of state and one of runtime per lab."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = Path(__file__).resolve().parent
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?")


def cache_root() -> Path:
    """$MESHOPS_CACHE, else meshops-istio in the user's cache folder; the lab's part of it."""
    named = os.environ.get("MESHOPS_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else home / "meshops-istio") / "lab"


def state_root() -> Path:
    """Labs belong to the machine, not to a user: network namespaces and addresses do too."""
    return Path(os.environ.get("MESHOPS_LAB_STATE") or "/var/lib/meshops-istio/labs")


def runtime_root() -> Path:
    """What must not survive a reboot: process records, sockets, mounts, address leases of pods."""
    return Path(os.environ.get("MESHOPS_LAB_RUNTIME") or "/run/meshops-istio/labs")


@dataclass(frozen=True)
class Lab:
    """One named lab. The name goes into a namespace, a cgroup and a node's name, hence the limits on it."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LabError(
                f"LAB={self.name!r} is not a lab's name: use 1 to 20 lower-case letters, digits and inner dashes."
            )

    @property
    def state(self) -> Path:
        return state_root() / self.name

    @property
    def runtime(self) -> Path:
        return runtime_root() / self.name

    @property
    def lock(self) -> Path:
        return runtime_root().parent / "locks" / f"{self.name}.lock"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def basic(self) -> Path:
        """The file that says that the lab does without load balancers, volumes and Prometheus."""
        return self.state / "basic"

    @property
    def vars_file(self) -> Path:
        return self.state / "vars.yml"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def node(self) -> str:
        return f"lab-{self.name}"

    @property
    def cgroup(self) -> str:
        return f"meshops-lab-{self.name}"

    @property
    def netns(self) -> str:
        return f"meshops-{self.name}"

    @property
    def mounts(self) -> Path:
        """The file that the lab's mount namespace is pinned to."""
        return self.runtime / "namespaces" / "mounts"

    @property
    def containerd_socket(self) -> Path:
        return self.runtime / "containerd.sock"
