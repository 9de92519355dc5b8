# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the sample applications of a release by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...kube.errors import InvalidInput
from .release import Release

# Samples with other file names: the application's files, then those of its gateway.
_ELSEWHERE = {
    "bookinfo": (("platform/kube/bookinfo.yaml",), ("networking/bookinfo-gateway.yaml",)),
}
_RENAMED = {"curl": "sleep", "sleep": "curl"}
"""Releases before 1.24 have the sample `curl` as `sleep`."""


@dataclass(frozen=True)
class Sample:
    """A sample's files: the application, and the Gateway and VirtualService that expose it."""

    name: str
    manifests: tuple[Path, ...]
    gateways: tuple[Path, ...] = ()


def find_sample(release: Release, name: str) -> Sample:
    """Find a sample by its name, or by the path of a file or folder below the release's samples.

    A name is that of a folder with a manifest of the same name in it. Raises InvalidInput with the known names.
    """
    wanted = name.strip().strip("/")
    for candidate in (wanted, _RENAMED.get(wanted, "")):
        folder = release.samples / candidate
        if candidate and _inside(folder, release.samples) and folder.is_dir():
            return _of_folder(release, wanted, candidate)
    path = release.samples / wanted
    if not wanted or not _inside(path, release.samples) or not path.is_file():
        raise InvalidInput(
            f"Sample '{name}' not found in Istio {release.version}. Choose one of {', '.join(sample_names(release))}, or"
            " give the path of a file below its folder samples.",
            sample=name,
        )
    return Sample(wanted, (path,))


def sample_names(release: Release) -> list[str]:
    """Return the names of the samples that need no path."""
    folders = (path for path in release.samples.iterdir() if path.is_dir())
    return sorted(path.name for path in folders if _known(path.name, path) is not None)


def _of_folder(release: Release, name: str, folder: str) -> Sample:
    root = release.samples / folder
    known = _known(folder, root)
    if known is not None:
        return Sample(name, *known)
    files = sorted(str(path.relative_to(release.samples)) for path in root.rglob("*.yaml"))
    raise InvalidInput(
        f"The sample '{name}' of Istio {release.version} is ambiguous: it has several files. Choose one of"
        f" {', '.join(files)}."
        if files
        else f"The sample '{name}' of Istio {release.version} has no manifests. Choose another sample.",
        sample=name,
        files=files,
    )


def _known(name: str, root: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]] | None:
    manifests, gateways = _ELSEWHERE.get(name, ((f"{root.name}.yaml",), (f"{root.name}-gateway.yaml",)))
    found = tuple(root / path for path in manifests)
    if not all(path.is_file() for path in found):
        return None
    return found, tuple(root / path for path in gateways if (root / path).is_file())


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
