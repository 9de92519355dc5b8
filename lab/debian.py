# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from the operating system: containerd, runc, the CNI plugins, iptables and a few small tools."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from .errors import LabError
from .files import locked
from .paths import cache_root
from .progress import step
from .shell import run

_WAITS = ("-o", "DPkg::Lock::Timeout=300")
"""Somebody else on the machine may be installing something, too."""

INSTEAD = "use minikube or any other cluster instead: `make quickstart CLUSTER=existing` installs into the one of your kubeconfig"

_CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
_PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "sysctl": "procps",
}


def cni_plugins() -> str:
    """The folder with the CNI plugins, or nothing."""
    return next((folder for folder in _CNI_FOLDERS if os.access(f"{folder}/bridge", os.X_OK)), "")


def missing() -> list[str]:
    """Debian packages of which this machine lacks the programs."""
    packages = [package for program, package in _PACKAGES.items() if not _on_path(program)]
    return packages if cni_plugins() else [*packages, "containernetworking-plugins"]


def ensure() -> None:
    """Install what is missing; LabError with one sentence where that cannot be done."""
    if os.geteuid() != 0:
        raise LabError(
            f"The lab makes network namespaces and mounts, so it needs root: run it with sudo, or {INSTEAD}."
        )
    if not missing():
        return
    # Two labs that start at once on a new machine would be in each other's way.
    with locked(cache_root() / "debian.lock", waiting_for="installing packages"):
        _install(missing())


def _install(packages: Sequence[str]) -> None:
    if not packages:
        return
    if not _debian():
        raise LabError(
            f"The lab lacks {', '.join(packages)} (as Debian calls them), and installs them only on Debian or Ubuntu: "
            f"install them, or {INSTEAD}."
        )
    with step(f"installing {', '.join(packages)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=quiet)
        run(
            ["apt-get", "install", "-qq", *_WAITS, "--no-install-recommends", "--yes", *packages],
            env=quiet,
            timeout=1200,
        )
    if still := missing():
        raise LabError(f"The packages {', '.join(still)} were installed, but their programs are not there.")


def program(name: str) -> Path:
    """The path of a program of the operating system."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not path:
        raise LabError(f"{name} is not installed on this machine.")
    return Path(path)


def _on_path(name: str) -> bool:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None


def _debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
    known = dict(line.split("=", 1) for line in lines if "=" in line)
    family = f"{known.get('ID', '')} {known.get('ID_LIKE', '')}".replace('"', "").split()
    return bool({"debian", "ubuntu"} & set(family)) and shutil.which("apt-get") is not None
