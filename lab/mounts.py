# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab's view of the file system: the places that a node's programs insist on are folders of the lab.

It is a mount namespace, pinned to a file so that it outlives any process. All mounts of the node and its pods are
made in it, and are gone with it; nothing appears on the machine, and labs do not meet in the same places.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from .files import write
from .paths import Lab
from .shell import run


def up(lab: Lab) -> bool:
    """Make the namespace if there is none; true if it is new, so that processes of an older one are in the wrong place."""
    whole = lab.runtime / "mounts-made"
    if whole.exists() and lab.mounts in _mounted():
        return False
    down(lab)
    folder = lab.mounts.parent
    folder.mkdir(parents=True, exist_ok=True)
    # A namespace can be pinned only below a mount that does not spread to others.
    run(["mount", "--bind", folder, folder])
    run(["mount", "--make-private", folder])
    lab.mounts.touch()
    # Shared among the lab's processes, as pods with mount propagation need it, but no longer with the machine.
    script = ["set -e", "mount --make-rshared /"]
    for place, own in _places(lab).items():
        own.mkdir(parents=True, exist_ok=True)
        place.mkdir(parents=True, exist_ok=True)
        script.append(shlex.join(["mount", "--bind", str(own), str(place)]))
    run(["unshare", f"--mount={lab.mounts}", "--propagation=private", "sh", "-c", "\n".join(script)])
    write(whole, "")
    return True


def down(lab: Lab) -> None:
    """Let go of the namespace, and of whatever is mounted in the lab's folders outside of it."""
    inside = [point for point in _mounted() if point.is_relative_to(lab.runtime) or point.is_relative_to(lab.state)]
    for point in sorted(inside, reverse=True):
        run(["umount", "--lazy", point])


def _places(lab: Lab) -> dict[Path, Path]:
    return {
        Path("/etc/cni"): lab.runtime / "cni-of-pods",
        Path("/run/containerd"): lab.runtime / "shims",
        Path("/run/istio-cni"): lab.runtime / "istio-cni",
        Path("/var/lib/cni"): lab.runtime / "cni",
        Path("/var/lib/kubelet"): lab.state / "kubelet",
        Path("/var/log/containers"): lab.state / "log" / "containers",
    }


def _mounted() -> list[Path]:
    """Mount points of this namespace; one may be there several times."""
    return [Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
