# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe an unpacked Istio release: istioctl, manifests and samples."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...kube import processes
from ...kube.errors import InvalidInput
from ...kube.yaml.text_encoding import read_text


@dataclass(frozen=True)
class Release:
    """An unpacked release; `root` is the folder with `bin/`, `manifests/` and `samples/`."""

    version: str
    root: Path

    @property
    def istioctl(self) -> Path:
        """The release's own istioctl."""
        return self.root / "bin" / "istioctl"

    @property
    def manifests(self) -> Path:
        """The folder of charts and profiles."""
        return self.root / "manifests"

    @property
    def samples(self) -> Path:
        """The folder of sample applications."""
        return self.root / "samples"

    @cached_property
    def profiles(self) -> list[str]:
        """The names of the release's installation profiles, sorted."""
        return sorted(path.stem for path in (self.manifests / "profiles").glob("*.yaml"))

    @property
    def minor(self) -> tuple[int, int]:
        """The major and minor number of the version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def unpacked(sources: Sequence[str], names: Sequence[str] | None = None) -> Iterator[Path]:
    """Yield the unpacked releases among the sources, and those of these names (or any) in their folders."""
    for source in sources:
        folder = Path(source).expanduser().absolute()
        if is_url(source):
            continue
        if not folder.exists():
            raise InvalidInput(f"The release source {source} was not found. Correct source.", source=source)
        inside = [folder / name for name in names] if names is not None else sorted(folder.glob("istio-*"))
        yield from (path for path in (folder, *inside) if is_release(path))


def is_url(source: str) -> bool:
    """Return whether a source is a URL rather than a path."""
    return source.startswith(("http://", "https://"))


def is_release(folder: Path) -> bool:
    """Return whether a folder is an unpacked release."""
    return (folder / "bin" / "istioctl").is_file() and (folder / "manifests" / "profiles").is_dir()


def version_of(root: Path) -> str:
    """Return the version in the release's manifest.yaml, else that of its istioctl; empty if unknown."""
    manifest = root / "manifest.yaml"
    if manifest.is_file():
        stated = re.search(r"^version:\s*['\"]?([^\s'\"]+)", read_text(manifest), re.MULTILINE)
        if stated:
            return stated[1]
    command = [str(root / "bin" / "istioctl"), "version", "--remote=false", "--short"]
    try:
        answer = processes.run(command, timeout=30)
        answer.check_returncode()
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().rpartition(" ")[2]
