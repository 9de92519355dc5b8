# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases are found where the user says, fetched once, verified, and never left half done in the cache.

The mirror that serves the releases is what all of them share, hence one file of over 400 lines.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import io
import os
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import archive as archives
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import cache as caches
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import cached_files, checksums
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import find_release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import (
    InvalidInput,
    NotReady,
    Refused,
    Unreachable,
)
from ansible_collections.meshops.istio.tests.support.download_server import Authority, authority
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern

__all__ = ["authority"]

VERSION = "1.29.1"


def archive(version: str = VERSION, *, extra: str = "", istioctl: bool = True) -> bytes:
    """An archive with the layout of a release and next to nothing in it."""
    files = {
        "manifest.yaml": f"version: {version}\n",
        "manifests/profiles/default.yaml": "spec: {}\n",
        "manifests/profiles/demo.yaml": "spec: {}\n",
        "samples/curl/curl.yaml": "kind: Service\n",
    }
    if istioctl:
        files["bin/istioctl"] = "#!/bin/sh\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in [
            *((f"istio-{version}/{name}", text) for name, text in files.items()),
            *([(extra, "x")] if extra else []),
        ]:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def unpacked(folder: Path, version: str = VERSION) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive(version))) as tar:
        tar.extractall(folder, filter="data")
    return folder / f"istio-{version}"


class Mirror:
    """A server with the official layout."""

    def __init__(self, root: Path, trusted: Authority | None) -> None:
        self.root = root
        self.connection = {"ca_cert": str(trusted.certificate)} if trusted else {}
        self.requests: list[str] = []
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                outer.requests.append(f"{self.command} {self.path}")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        if trusted:
            self.server.socket = trusted.context().wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=partial(self.server.serve_forever, 0.01), daemon=True).start()
        self.url = f"{'https' if trusted else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    def publish(self, content: bytes, checksum: str | None = "", version: str = VERSION) -> str:
        name = f"istio-{version}-linux-amd64.tar.gz"
        folder = self.root / version
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        if checksum is not None:
            (folder / f"{name}.sha256").write_text(f"{checksum or digest}  {name}\n")
        return digest


@pytest.fixture
def mirror(tmp_path: Path, authority: Authority) -> Iterator[Mirror]:
    yield from serving(Mirror(tmp_path / "mirror", authority))


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Mirror]:
    """A mirror over http."""
    yield from serving(Mirror(tmp_path / "plain", None))


def serving(mirror: Mirror) -> Iterator[Mirror]:
    mirror.root.mkdir()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def find(cache: Path, source: Any, **options: Any) -> tuple[Release, bool]:
    if isinstance(source, Mirror):
        source, options["connection"] = source.url, source.connection
    return find_release(VERSION, source=source, cache_dir=cache, arch="amd64", **options)


def cached(cache: Path) -> list[str]:
    folder = cache / "releases"
    return [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] if folder.exists() else []


@pytest.mark.parametrize("version", ["latest", "1.29", "1.29.x", "", "v1.29.1"])
def test_versions_that_are_not_exact_are_refused(cache: Path, version: str) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern(f"'{version}' & exact version")):
        find_release(version, cache_dir=cache)


def test_a_release_is_fetched_once(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    lines: list[str] = []
    release, fetched = find(cache, mirror, progress=lines.append)
    assert (release.version, fetched) == (VERSION, True)
    assert release.istioctl.is_file()
    assert release.profiles == ["default", "demo"]
    assert lines[0] == "downloading Istio 1.29.1"
    mirror.requests.clear()
    again, fetched = find(cache, mirror)
    assert (again, fetched) == (release, False)
    assert mirror.requests == []


def test_two_at_once_fetch_it_once(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _number: find(cache, mirror), range(4)))
    assert sum(fetched for _release, fetched in results) == 1
    assert cached(cache) == ["1.29.1-linux-amd64"]


def test_a_wrong_checksum_is_refused_and_nothing_cached(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive(), checksum="0" * 64)
    with pytest.raises(Refused, match=r"checksum is [0-9a-f]{64} instead of 0{64}") as caught:
        find(cache, mirror)
    assert caught.value.code == "checksum_mismatch"
    assert cached(cache) == []


def test_a_given_checksum_is_the_one_that_counts(mirror: Mirror, cache: Path) -> None:
    digest = mirror.publish(archive(), checksum=None)
    with pytest.raises(Refused, match=facts_pattern("checksum & not found")):
        find(cache, mirror)
    with pytest.raises(Refused, match="instead of"):
        find(cache, mirror, checksum="1" * 64)
    assert find(cache, mirror, checksum=f"sha256:{digest}")[1]
    assert find(cache, mirror, checksum=digest) == (find(cache, mirror)[0], False)
    with pytest.raises(Refused, match="instead of"):  # though the release is in the cache
        find(cache, mirror, checksum="1" * 64)
    assert not find(cache, mirror)[1]


def test_a_version_that_does_not_exist(mirror: Mirror, cache: Path) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("Istio 1.29.1 & not found & https://127 & version")):
        find(cache, mirror)


def test_an_unreachable_source_names_its_address_and_the_way_out(mirror: Mirror, cache: Path) -> None:
    mirror.server.shutdown()
    mirror.server.server_close()
    with pytest.raises(
        Unreachable, match=facts_pattern("cannot download & https://127 & refused & set source & istio-1.29.1-")
    ):
        find(cache, mirror)


def test_the_first_mirror_that_has_it_wins(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    sources = [f"{mirror.url}/elsewhere", "https://127.0.0.1:1", mirror.url]
    assert find(cache, sources, connection=mirror.connection)[1]


def test_a_folder_is_used_where_it_lies(tmp_path: Path, cache: Path) -> None:
    root = unpacked(tmp_path / "releases")
    assert find(cache, str(root)) == (Release(VERSION, root), False)
    assert find(cache, [str(tmp_path / "releases")])[0].root == root
    assert not cache.exists()


def test_archives_in_a_folder_and_by_name(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "istio-1.29.1-linux-amd64.tar.gz"
    path.write_bytes(archive())
    assert find(cache, str(tmp_path))[1]
    assert find(tmp_path / "other", str(path))[1]


def test_an_archives_checksum_beside_it_is_heeded(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "mirror" / VERSION
    folder.mkdir(parents=True)
    path = folder / "istio-1.29.1-linux-amd64.tar.gz"
    path.write_bytes(archive())
    path.with_name(f"{path.name}.sha256").write_text(f"{'0' * 64}  {path.name}\n")
    with pytest.raises(Refused, match=r"instead of 0{64}"):
        find(cache, str(tmp_path / "mirror"))
    path.with_name(f"{path.name}.sha256").unlink()
    assert find(cache, str(tmp_path / "mirror"))[1]


def test_ca_certificates_that_are_not_there(mirror: Mirror, cache: Path) -> None:
    with pytest.raises(InvalidInput, match=r"The CA certificates in none\.pem cannot be read: No such file"):
        find(cache, mirror.url, connection={"ca_cert": "none.pem"})


def test_a_folder_without_the_version_says_what_it_holds(tmp_path: Path, cache: Path) -> None:
    unpacked(tmp_path / "releases", "1.28.3")
    with pytest.raises(InvalidInput, match=facts_pattern("Istio 1.29.1 & not found & /releases & 1.28.3 & unpack")):
        find(cache, str(tmp_path / "releases"))
    with pytest.raises(InvalidInput, match=facts_pattern("release source & not found")):
        find(cache, str(tmp_path / "nowhere"))


def test_what_a_killed_run_left_is_no_release(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    left = cache / "releases" / ".work-1.29.1-linux-amd64-killed"
    left.mkdir(parents=True)
    (cache / "releases" / "1.29.1-linux-amd64").mkdir()
    release, fetched = find(cache, mirror)
    assert fetched
    assert release.istioctl.is_file()
    assert cached(cache) == ["1.29.1-linux-amd64"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (archive(extra="../../escaped"), "cannot unpack"),
        (archive(istioctl=False), "not an Istio release"),
        (b"no archive", "cannot unpack"),
    ],
)
def test_what_is_no_release_is_not_cached(mirror: Mirror, cache: Path, content: bytes, sentence: str) -> None:
    mirror.publish(content)
    with pytest.raises(InvalidInput, match=facts_pattern(sentence)):
        find(cache, mirror)
    assert cached(cache) == []
    assert not (cache / "escaped").exists()


# --- checksums -----------------------------------------------------------------------------------------------------


def test_http_needs_a_checksum_from_the_user(plain: Mirror, cache: Path) -> None:
    digest = plain.publish(archive())
    with pytest.raises(Refused, match=facts_pattern("http:// & use https & checksum")) as caught:
        find(cache, plain)
    assert (caught.value.code, plain.requests) == ("no_checksum", [])
    assert find(cache, plain, checksum=digest)[1]


def test_a_known_checksum_wins_over_the_servers(
    mirror: Mirror, plain: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = mirror.publish(archive())
    monkeypatch.setitem(checksums.ARCHIVES, f"{VERSION}-linux-amd64", "2" * 64)
    with pytest.raises(Refused, match=r"instead of 2{64}"):
        find(cache, mirror)
    assert find(cache, mirror, checksum=digest)[1]  # a build of one's own
    monkeypatch.setitem(checksums.ARCHIVES, f"{VERSION}-linux-amd64", plain.publish(archive(), checksum="3" * 64))
    assert find(cache.with_name("other"), plain)[1]


def test_known_checksums_are_checksums() -> None:
    assert checksums.ARCHIVES
    for name, digest in checksums.ARCHIVES.items():
        assert (len(digest), int(digest, 16) > 0, name.count(".")) == (64, True, 2)


def test_an_unpacked_release_is_used_with_a_checksum_only_if_it_has_it(
    mirror: Mirror, tmp_path: Path, cache: Path
) -> None:
    root = unpacked(tmp_path / "releases")
    with pytest.raises(Refused, match=facts_pattern("cannot verify & checksum & archive")):
        find(cache, str(root), checksum="1" * 64)
    digest = mirror.publish(archive())
    made = find(cache, mirror)[0].root
    assert find(tmp_path / "other", str(made), checksum=digest) == (Release(VERSION, made), False)


# --- the cache -----------------------------------------------------------------------------------------------------

Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "bin/istioctl").write_text(""),
        lambda root: (root / "bin/istioctl").write_text("#!/bin/su\n"),
        lambda root: (root / "samples/curl/curl.yaml").unlink(),
        lambda root: (root / "manifests/profiles/own.yaml").write_text("spec: {}\n"),
        lambda root: (root / ".contents.json").write_text("{"),
        lambda root: (root / ".contents.json").unlink(),
    ],
    ids=["truncated", "altered", "missing", "added", "record-truncated", "record-missing"],
)
def test_an_entry_that_is_not_what_was_unpacked_is_made_anew(mirror: Mirror, cache: Path, spoil: Spoil) -> None:
    mirror.publish(archive())
    root = find(cache, mirror)[0].root
    spoil(root)
    release, fetched = find(cache, mirror)
    assert (fetched, release.istioctl.read_text()) == (True, "#!/bin/sh\n")
    assert not find(cache, mirror)[1]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "bin/istioctl").chmod(0o777),
        lambda root: (root / "bin").chmod(0o775),
        lambda root: root.chmod(0o777),
        lambda root: (root / "bin/istioctl").rename(root / "aside") and (root / "bin/istioctl").symlink_to("../aside"),
    ],
    ids=["file", "folder", "entry", "link"],
)
def test_an_entry_that_others_could_have_changed_is_made_anew(mirror: Mirror, cache: Path, spoil: Spoil) -> None:
    mirror.publish(archive())
    root = find(cache, mirror)[0].root
    spoil(root)
    release, fetched = find(cache, mirror)
    assert (fetched, release.istioctl.is_symlink()) == (True, False)
    assert stat.S_IMODE(release.istioctl.stat().st_mode) == 0o755


def test_a_copy_of_a_cache_is_used(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    root = find(cache, mirror)[0].root
    os.utime(root / "bin/istioctl", (1, 1))
    assert not find(cache, mirror)[1]


@pytest.mark.parametrize(
    "depth", ["releases", "releases/1.29.1-linux-amd64", "releases/1.29.1-linux-amd64/bin/istioctl"]
)
def test_what_belongs_to_another_user_is_not_used(
    mirror: Mirror, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MESHOPS_CACHE", raising=False)
    mirror.publish(archive())
    root = find(cache, mirror)[0].root
    theirs, is_own = (cache / depth).lstat().st_ino, caches.is_own
    for module in (caches, cached_files):
        monkeypatch.setattr(module, "is_own", lambda status: status.st_ino != theirs and is_own(status))
    release, fetched = find(cache, mirror)
    assert fetched
    assert release.istioctl.lstat().st_ino != theirs
    assert (release.root == root) == (depth != "releases")


def test_a_folder_of_the_cache_is_made_this_users_alone(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    (cache / "releases").mkdir(parents=True)
    (cache / "releases").chmod(0o775)  # a umask of 002
    find(cache, mirror)
    assert stat.S_IMODE((cache / "releases").stat().st_mode) == 0o755
    assert caches.belongs(cache / "releases")


def test_a_locked_cache_is_waited_for_within_the_time_limit(mirror: Mirror, cache: Path) -> None:
    (cache / "releases").mkdir(parents=True)
    with open(cache / "releases" / ".1.29.1-linux-amd64.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(NotReady, match=facts_pattern("timed out waiting for the lock & another run")):
            find(cache, mirror, timeout=0.2)


# --- archives ------------------------------------------------------------------------------------------------------


def packed(*members: tuple[str, dict[str, Any]]) -> bytes:
    """A release's archive with more members, each a name and attributes of its TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive())) as first, tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in first:
            tar.addfile(member, first.extractfile(member))
        for name, attributes in members:
            info = tarfile.TarInfo(f"istio-{VERSION}/{name}")
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            tar.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("passwd", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("passwd", {"type": tarfile.SYMTYPE, "linkname": "../../../etc/passwd"}),
        ("passwd", {"type": tarfile.LNKTYPE, "linkname": "../../etc/passwd"}),
        ("folder", {"type": tarfile.SYMTYPE, "linkname": "bin"}),
        ("null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
        ("bin/istioctl", {}),
    ],
    ids=["absolute", "outside", "hard", "of-a-folder", "device", "pipe", "twice"],
)
def test_members_that_are_no_files_of_a_release(
    mirror: Mirror, cache: Path, name: str, attributes: dict[str, Any]
) -> None:
    mirror.publish(packed((name, attributes)))
    with pytest.raises(InvalidInput, match=facts_pattern("cannot unpack")):
        find(cache, mirror)
    assert cached(cache) == []


def test_a_link_within_the_archive_becomes_a_copy(mirror: Mirror, cache: Path) -> None:
    mirror.publish(packed(("samples/sleep.yaml", {"type": tarfile.SYMTYPE, "linkname": "curl/curl.yaml"})))
    copy = find(cache, mirror)[0].samples / "sleep.yaml"
    assert (copy.is_symlink(), copy.read_text()) == (False, "kind: Service\n")


@pytest.mark.parametrize(("limit", "value"), [("_MEMBERS", 3), ("_UNPACKED", 16)])
def test_an_archive_that_unpacks_to_too_much(
    mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(archives, limit, value)
    mirror.publish(archive())
    with pytest.raises(InvalidInput, match=facts_pattern("more than & no release")):
        find(cache, mirror)
    assert cached(cache) == []
