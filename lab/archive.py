# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container images made of files on this machine: one archive may hold several, and they share their layers."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Link:
    """A symbolic link in an image."""

    target: str


Content = Path | bytes | Link


@dataclass(frozen=True)
class Image:
    """`files` maps paths in the image to what is there; `config` is its runtime configuration as OCI defines it."""

    references: Sequence[str]
    files: Mapping[str, Content]
    config: Mapping[str, object]
    folders: Sequence[str] = ()


@dataclass
class _Layer:
    path: Path
    diff_id: str = field(default="")


def write_archive(images: Sequence[Image], architecture: str, folder: Path) -> Path:
    """Write `images` as one docker-archive, `images.tar`, into `folder`."""
    layers: dict[str, _Layer] = {}
    entries: list[tuple[str, bytes]] = []
    manifest = []
    for image in images:
        content = repr((sorted(image.files.items(), key=str), image.folders))
        layer = layers.get(content)
        if layer is None:
            layer = layers[content] = _layer(image, folder / f"layer-{len(layers)}.tar")
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        }
        data = json.dumps(config).encode()
        name = f"{hashlib.sha256(data).hexdigest()}.json"
        entries.append((name, data))
        manifest.append({"Config": name, "RepoTags": list(image.references), "Layers": [layer.path.name]})
    entries.append(("manifest.json", json.dumps(manifest).encode()))
    archive = folder / "images.tar"
    with tarfile.open(archive, "w") as tar:
        for layer in layers.values():
            tar.add(layer.path, layer.path.name)
            layer.path.unlink()
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive


def _layer(image: Image, path: Path) -> _Layer:
    made: set[PurePosixPath] = set()
    with tarfile.open(path, "w") as tar:

        def folder(name: PurePosixPath) -> None:
            if name in made or str(name) in ("", "."):
                return
            folder(name.parent)
            made.add(name)
            info = tarfile.TarInfo(str(name))
            # Programs of these images run as users of their own and write where their originals let them.
            info.type, info.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(info)

        for name in image.folders:
            folder(PurePosixPath(name.strip("/")))
        for name, content in sorted(image.files.items()):
            inside = PurePosixPath(name.strip("/"))
            folder(inside.parent)
            info = tarfile.TarInfo(str(inside))
            info.mode = 0o755
            match content:
                case Link(target):
                    info.type, info.linkname = tarfile.SYMTYPE, target
                    tar.addfile(info)
                case bytes():
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
                case Path():
                    source = content.resolve()
                    info.size = source.stat().st_size
                    with source.open("rb") as handle:
                        tar.addfile(info, handle)
    with path.open("rb") as handle:
        return _Layer(path, f"sha256:{hashlib.file_digest(handle, 'sha256').hexdigest()}")
