# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images are whole, share what they can, and stand-ins answer to the table."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab import images, sources, standins
from lab.archive import Content, Image, Link, write_archive
from lab.binaries import BINARIES, Binary
from lab.download import Downloads
from lab.errors import LabError
from lab.paths import SOURCES, cache_root


def load(archive: Path) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    with tarfile.open(archive) as tar:
        files = {member.name: read.read() for member in tar if (read := tar.extractfile(member))}
    manifest: list[dict[str, Any]] = json.loads(files["manifest.json"])
    return manifest, files


def test_an_archive_holds_what_containerd_needs(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"a program")
    files: dict[str, Content] = {"/bin/run": program, "/etc/name": b"lab", "/bin/other": Link("run")}
    image = Image(["a/b:1", "a/b:2"], files, {"Entrypoint": ["/bin/run"]}, ("/tmp", "/var/lib/x"))
    (entry,), content = load(write_archive([image], "amd64", tmp_path))
    assert entry["RepoTags"] == ["a/b:1", "a/b:2"]
    config = json.loads(content[entry["Config"]])
    assert config["config"] == {"Entrypoint": ["/bin/run"]}
    assert config["architecture"] == "amd64"
    (layer,) = entry["Layers"]
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content[layer]).hexdigest()]
    (tmp_path / "layer.tar").write_bytes(content[layer])
    with tarfile.open(tmp_path / "layer.tar") as tar:
        members = {member.name: member for member in tar.getmembers()}
        assert {"tmp", "var", "var/lib", "var/lib/x", "bin", "etc"} <= {n for n, m in members.items() if m.isdir()}
        assert members["bin/other"].linkname == "run"
        run = tar.extractfile("bin/run")
        assert run
        assert run.read() == b"a program"
        assert members["bin/run"].mode & 0o111


def test_images_of_the_same_files_share_a_layer(tmp_path: Path) -> None:
    one = Image(["one:1"], {"/a": b"same"}, {"Env": ["A=1"]})
    two = Image(["two:1"], {"/a": b"same"}, {"Env": ["A=2"]})
    other = Image(["other:1"], {"/a": b"different"}, {})
    manifest, _ = load(write_archive([one, two, other], "amd64", tmp_path))
    layers = [entry["Layers"] for entry in manifest]
    assert layers[0] == layers[1] != layers[2]


def test_images_are_packed_again_only_when_something_changes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"a program")
    image = Image(["a:1"], {"/run": program}, {})
    first = images._packed("some", [image])
    assert images._packed("some", [image]) == first
    program.write_bytes(b"another program")
    assert images._packed("some", [image]).archive != first.archive
    assert first.references == ("a:1",)


def test_images_that_nobody_has_used_for_weeks_go(tmp_path: Path) -> None:
    old = images._packed("some", [Image(["a:1"], {"/a": b"1"}, {})]).archive.parent
    recent = images._packed("some", [Image(["a:1"], {"/a": b"2"}, {})]).archive.parent
    os.utime(old, (0, 0))
    images._packed("some", [Image(["a:1"], {"/a": b"3"}, {})])
    assert not old.exists()
    assert recent.exists()


def test_every_stand_in_has_a_role_that_the_program_plays() -> None:
    played = set(re.findall(r'^\t"([\w-]+)": ', (SOURCES / "standin" / "main.go").read_text(), re.MULTILINE))
    table = standins.table()
    assert {row.role for row in table} <= played
    names = [name for row in table for name in row.references]
    assert len(set(names)) == len(names)
    assert all(row.answers for row in table)
    assert {row.image for row in table} >= {
        "docker.io/istio/examples-helloworld-v1:1.0",
        "docker.io/istio/examples-helloworld-v2:1.0",
    }


def test_samples_have_both_of_their_registries_names() -> None:
    row = next(row for row in standins.table() if "helloworld-v1" in row.image)
    assert row.references == [
        "docker.io/istio/examples-helloworld-v1:1.0",
        "registry.istio.io/release/examples-helloworld-v1:1.0",
    ]


def test_the_images_of_two_releases_stand_side_by_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def find(names: Iterable[str], *, among: Mapping[str, Binary] = BINARIES, **_: object) -> dict[str, Path]:
        paths = {name: tmp_path / f"{name}-{among[name].version}" for name in names}
        for path in paths.values():
            path.touch()
        return paths

    monkeypatch.setattr(sources, "find", find)
    for module, name in ((images, "_iptables"), (images, "_with_libraries")):
        monkeypatch.setattr(module, name, lambda *given: given[0] if given else {})
    monkeypatch.setattr(images, "pack_standins", lambda: images.Packed(tmp_path / "stand-ins" / "images.tar", ()))
    for function in ("pypi.unpacked", "golang.module_copy"):
        monkeypatch.setattr(f"lab.{function}", lambda *given: tmp_path)
    (tmp_path / "envoy" / "_bin").mkdir(parents=True)
    for name in ("envoy/_bin/envoy", "envoy_bootstrap.json"):
        (tmp_path / name).touch()
    packed = images.pack(["1.29.1", "1.30.4"], named={}, downloads=Downloads(), cni=True)
    references = {name for one in packed for name in one.references}
    assert references >= {
        *("docker.io/istio/pilot:1.29.1", "docker.io/istio/proxyv2:1.29.1-distroless"),
        *("registry.istio.io/release/pilot:1.30.4", "registry.istio.io/release/install-cni:1.30.4"),
    }
    assert len({one.archive for one in packed}) == 6


def test_a_stand_in_names_itself_by_its_image(tmp_path: Path) -> None:
    program = tmp_path / "standin"
    program.touch()
    hello = next(image for image in standins.images(program) if "helloworld-v2" in image.references[0])
    environment = hello.config["Env"]
    assert isinstance(environment, list)
    assert {"STAND_IN=examples-helloworld-v2", "SERVICE_VERSION=v2"} <= set(environment)
    assert hello.config["Entrypoint"] == ["/standin", "helloworld"]


@pytest.mark.parametrize(("wanted", "answer"), [("pull", True), ("pack", False)])
def test_the_user_decides_whether_to_pull(monkeypatch: pytest.MonkeyPatch, wanted: str, answer: bool) -> None:
    monkeypatch.setattr(images, "unreachable", lambda url: pytest.fail("no registry is to be asked"))
    monkeypatch.setenv("LAB_IMAGES", wanted)
    assert images.pulled() is answer


def test_a_registry_that_answers_is_pulled_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(images, "unreachable", lambda url: "")
    assert images.pulled()
    monkeypatch.setattr(images, "unreachable", lambda url: "connection refused")
    assert not images.pulled()
    assert "no image registry answers (connection refused): packing images" in capsys.readouterr().err


def test_packed_images_are_kept_to_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "unreachable", lambda url: pytest.fail("no registry is to be asked"))
    archive = cache_root() / "images" / "istio-0" / "images.tar"
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert not images.pulled()


def test_another_word_for_images_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_IMAGES", "steal")
    with pytest.raises(LabError, match="LAB_IMAGES=steal is not known"):
        images.pulled()
