# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add a release to the cache, from a local archive or a mirror."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...download.client import Client, NotThere
from ...download.credentials import shown
from ...kube.errors import InvalidInput, MeshError, Unreachable
from ...kube.progress import Progress
from ...kube.yaml.text_encoding import read_text
from .archive import unpack
from .cache import work_folder
from .cached_files import record
from .checksums import ARCHIVES
from .download import Download, checksum_in, verify
from .release import is_release, is_url, unpacked, version_of


def fetch(
    version: str,
    entry: str,
    sources: Sequence[str],
    cache: Path,
    client: Client,
    progress: Progress,
    checksum: str | None,
) -> None:
    """Create the cache entry `<version>-<platform>` from the first source with the archive of the version.

    `checksum`: given by the user; default: a known one for downloads, else the published .sha256 file. Call with the
    entry locked. Raises InvalidInput if no source has the archive, Refused for a wrong checksum; the cache is unchanged
    then.
    """
    download = Download(client, progress)
    with work_folder(cache, entry) as work:
        archive, digest = _archive(version, entry, sources, work, download, checksum)
        root = unpack(archive, work / "unpacked", until=client.until)
        if not is_release(root):
            raise InvalidInput(
                f"{archive.name} is not an Istio release: bin/istioctl or manifests not found in it. Correct source."
            )
        record(root, digest)
        target = cache / entry
        if target.exists():
            shutil.rmtree(target)
        root.rename(target)


def _archive(
    version: str, entry: str, sources: Sequence[str], work: Path, download: Download, checksum: str | None
) -> tuple[Path, str]:
    name = f"istio-{entry}.tar.gz"
    missing: list[str] = []
    unreachable: Unreachable | None = None
    for source in sources:
        if not is_url(source):
            for archive in _local(Path(source).expanduser(), version, name):
                return archive, verify(archive, checksum or _published(archive))
            continue
        address = f"{source.rstrip('/')}/{version}/{name}"
        try:
            return download.fetch(address, work / name, checksum or ARCHIVES.get(entry), what=f"Istio {version}")
        except NotThere:
            missing.append(shown(address))
        except Unreachable as error:
            unreachable = unreachable or error
    if unreachable:
        raise unreachable
    raise _not_found(version, sources, missing)


def _local(path: Path, version: str, name: str) -> Iterator[Path]:
    if path.is_file():
        if path.name.startswith((f"istio-{version}-", f"istio-{version}.")):
            yield path
    else:
        yield from (found for found in (path / name, path / version / name) if found.is_file())


def _published(archive: Path) -> str | None:
    beside = archive.with_name(f"{archive.name}.sha256")
    return checksum_in(read_text(beside), str(beside)) if beside.is_file() else None


def _not_found(version: str, sources: Sequence[str], missing: Sequence[str]) -> MeshError:
    if missing:
        return InvalidInput(
            f"Istio {version} not found at {' or '.join(missing)}. Check the version, or set source to where the release"
            " is.",
            version=version,
        )
    present = sorted({version_of(path) for path in unpacked(sources)} - {""})
    found = f", which has {', '.join(present)}" if present else ""
    return InvalidInput(
        f"Istio {version} not found in {' or '.join(map(shown, sources))}{found}. Unpack the release there, or set source"
        " to a folder, an archive or a mirror with it.",
        version=version,
    )
