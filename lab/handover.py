# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person or a playbook takes from a lab: the kubeconfig, variables, kubectl and istioctl."""

from __future__ import annotations

import os

import yaml

from .files import write
from .parts import Parts
from .paths import SOURCES, Lab


def write_all(lab: Lab, parts: Parts) -> None:
    """Bring all of it up to date; a kubeconfig that was asked for through sudo belongs to who asked."""
    write(lab.kubeconfig, (lab.pki / "admin.kubeconfig").read_bytes(), 0o600)
    if owner := os.environ.get("SUDO_UID"):
        os.chown(lab.kubeconfig, int(owner), int(os.environ.get("SUDO_GID", "-1")))
    programs = {"kubectl": parts.binaries["kubectl"]}
    for version, release in parts.releases.items():
        istioctl = release / f"istio-{version}" / "bin" / "istioctl"
        programs.setdefault("istioctl", istioctl)
        if len(parts.releases) > 1:
            programs[f"istioctl-{version}"] = istioctl
    for name, path in programs.items():
        link = lab.state / "bin" / name
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink() or link.readlink() != path:
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    sources = [str(release) for release in parts.releases.values()]
    variables = {
        "mesh_kubeconfig": str(lab.kubeconfig),
        "mesh_version": next(iter(parts.releases)),
        "mesh_release_source": sources[0] if len(sources) == 1 else sources,
        "mesh_overlays": [] if parts.pulled else [str(SOURCES / "overlay.yaml")],
    }
    write(lab.vars_file, "---\n" + yaml.safe_dump(variables, sort_keys=False))
