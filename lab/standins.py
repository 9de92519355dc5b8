# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of stand-ins, and the images made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import golang
from .archive import Content, Image, Link
from .files import digest, lock_of, locked, published
from .paths import SOURCES, cache_root
from .progress import step

_PROGRAM = "/standin"
_SAMPLES, _SAMPLES_SINCE_1_30 = "docker.io/istio/examples-", "registry.istio.io/release/examples-"
_USERS = b"root:x:0:0::/:/standin\nnobody:x:65534:65534::/:/standin\n"


@dataclass(frozen=True)
class StandIn:
    """One image that a stand-in takes the place of."""

    image: str
    role: str
    answers: str
    env: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    user: str = ""
    also: tuple[str, ...] = ()

    @property
    def references(self) -> list[str]:
        """The image by all of its names: that of other releases, and Istio's samples by both of its registries."""
        names = [self.image, *self.also]
        samples = [name for name in names if name.startswith(_SAMPLES)]
        return [*names, *(name.replace(_SAMPLES, _SAMPLES_SINCE_1_30) for name in samples)]

    @property
    def short(self) -> str:
        """The image without registry, tag and digest: what the answers name themselves by."""
        return re.split("[:@]", self.image.rsplit("/", 1)[-1])[0]


def table() -> list[StandIn]:
    rows: list[dict[str, Any]] = yaml.safe_load((SOURCES / "standins.yml").read_text())
    return [
        StandIn(
            row["image"],
            row["as"],
            row["answers"],
            row.get("env", {}),
            tuple(row.get("links", ())),
            row.get("user", ""),
            tuple(row.get("also", ())),
        )
        for row in rows
    ]


def program() -> Path:
    """The stand-in program, built when its sources have changed."""
    sources = SOURCES / "standin"
    key = digest(*(part for path in sorted(sources.glob("*")) for part in (path.name, path.read_bytes())))
    folder = cache_root() / "bin" / f"standin-{key}"
    with locked(lock_of(folder), waiting_for="building the stand-ins"):
        if not folder.exists():
            with step("building the stand-ins"), published(folder) as target:
                golang.program(sources, target / "standin")
    return folder / "standin"


def images(binary: Path) -> list[Image]:
    """An image per row of the table; all of them share one layer."""
    rows = table()
    links = {link for row in rows for link in row.links} | {f"/{row.role}" for row in rows}
    files: dict[str, Content] = {
        _PROGRAM: binary,
        "/etc/passwd": _USERS,
        **{link: Link(_PROGRAM) for link in sorted(links)},
    }
    return [
        Image(
            row.references,
            files,
            {
                "Entrypoint": [_PROGRAM, row.role],
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"STAND_IN={row.short}"]
                + [f"{name}={value}" for name, value in row.env.items()],
                "User": row.user,
            },
            folders=("/tmp",),  # noqa: S108 - a folder of the image
        )
        for row in rows
    ]
