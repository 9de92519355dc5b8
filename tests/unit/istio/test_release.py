# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases are found where the user says, fetched once, verified, and never left half done in the cache."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import Release, find_release
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused, Unreachable

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
    """A loopback server with the official layout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                outer.requests.append(f"{self.command} {self.path}")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        threading.Thread(target=partial(self.server.serve_forever, 0.01), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

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
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    mirror = Mirror(tmp_path / "mirror")
    mirror.root.mkdir()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def find(cache: Path, source: object, **options: object) -> tuple[Release, bool]:
    return find_release(VERSION, source=source, cache_dir=cache, arch="amd64", **options)  # type: ignore[arg-type]


def cached(cache: Path) -> list[str]:
    return [path.name for path in (cache / "releases").iterdir() if not path.name.endswith(".lock")]


@pytest.mark.parametrize("version", ["latest", "1.29", "1.29.x", "", "v1.29.1"])
def test_versions_that_are_not_exact_are_refused(cache: Path, version: str) -> None:
    with pytest.raises(InvalidInput, match="not an exact Istio version"):
        find_release(version, cache_dir=cache)


def test_a_release_is_fetched_once(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    lines: list[str] = []
    release, fetched = find(cache, mirror.url, progress=lines.append)
    assert (release.version, fetched) == (VERSION, True)
    assert release.istioctl.is_file()
    assert release.profiles == ["default", "demo"]
    assert lines[0] == "fetching Istio 1.29.1"
    mirror.requests.clear()
    again, fetched = find(cache, mirror.url)
    assert (again, fetched) == (release, False)
    assert mirror.requests == []


def test_two_at_once_fetch_it_once(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _number: find(cache, mirror.url), range(4)))
    assert sum(fetched for _release, fetched in results) == 1
    assert cached(cache) == ["1.29.1-linux-amd64"]


def test_a_wrong_checksum_is_refused_and_nothing_cached(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive(), checksum="0" * 64)
    with pytest.raises(Refused, match=r"has the checksum [0-9a-f]{64} instead of 0{64}") as caught:
        find(cache, mirror.url)
    assert caught.value.code == "checksum_mismatch"
    assert cached(cache) == []


def test_a_given_checksum_is_the_one_that_counts(mirror: Mirror, cache: Path) -> None:
    digest = mirror.publish(archive(), checksum=None)
    with pytest.raises(Refused, match="no published checksum"):
        find(cache, mirror.url)
    with pytest.raises(Refused, match="instead of"):
        find(cache, mirror.url, checksum="1" * 64)
    assert find(cache, mirror.url, checksum=f"sha256:{digest}")[1]
    with pytest.raises(InvalidInput, match="with another checksum"):
        find(cache, mirror.url, checksum="1" * 64)


def test_a_version_that_does_not_exist(mirror: Mirror, cache: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Istio 1.29.1 does not exist at http://127\S+: check the version"):
        find(cache, mirror.url)


def test_an_unreachable_source_names_its_address_and_the_way_out(mirror: Mirror, cache: Path) -> None:
    mirror.server.shutdown()
    mirror.server.server_close()
    with pytest.raises(
        Unreachable, match=r"cannot be downloaded from http://127\S+ \(.*refused\): name in `source` istio-1\.29\.1-"
    ):
        find(cache, mirror.url)


def test_the_first_mirror_that_has_it_wins(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    assert find(cache, [f"{mirror.url}/elsewhere", "http://127.0.0.1:1", mirror.url])[1]


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
        find(cache, mirror.url, ca_cert="none.pem")


def test_a_folder_without_the_version_says_what_it_holds(tmp_path: Path, cache: Path) -> None:
    unpacked(tmp_path / "releases", "1.28.3")
    with pytest.raises(InvalidInput, match=r"Istio 1.29.1 is not in \S+/releases; there is 1.28.3: unpack"):
        find(cache, str(tmp_path / "releases"))
    with pytest.raises(InvalidInput, match="does not exist"):
        find(cache, str(tmp_path / "nowhere"))


def test_what_a_killed_run_left_is_no_release(mirror: Mirror, cache: Path) -> None:
    mirror.publish(archive())
    left = cache / "releases" / ".work-1.29.1-linux-amd64-killed"
    left.mkdir(parents=True)
    (cache / "releases" / "1.29.1-linux-amd64").mkdir()
    release, fetched = find(cache, mirror.url)
    assert fetched
    assert release.istioctl.is_file()
    assert cached(cache) == ["1.29.1-linux-amd64"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (archive(extra="../../escaped"), "cannot be unpacked"),
        (archive(istioctl=False), "does not hold an Istio release"),
        (b"no archive", "cannot be unpacked"),
    ],
)
def test_what_is_no_release_is_not_cached(mirror: Mirror, cache: Path, content: bytes, sentence: str) -> None:
    mirror.publish(content)
    with pytest.raises(InvalidInput, match=sentence):
        find(cache, mirror.url)
    assert cached(cache) == []
    assert not (cache / "escaped").exists()
