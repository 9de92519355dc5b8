# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to hold before a version is published, each one function that raises Failed, or CalledProcessError."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import yaml

from . import environments, lab, sanity_ignores, sbom

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build/publish"
NONE: Mapping[str, str] = {}
# What the tarball is for: using the collection. What tests and builds it stays in the repository.
TOP_LEVEL = {
    "CHANGELOG.rst", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "SECURITY.md", "bindep.txt", "changelogs", "docs",
    "examples", "meta", "playbooks", "plugins", "requirements-azure.txt", "requirements.txt", "roles", "tests",
}  # fmt: skip
LARGEST = 1024 * 1024  # bytes, four times what it has
_OF_OTHERS = re.compile(
    r"undefined label: '(?:ansible_collections\.(?:ansible|azure)\.|action_plugins|ansible_configuration_settings|"
    r"common_return_values)"
    r"|'envvar' reference target not found: ANSIBLE_CACHE_PLUGIN"
)


class Failed(Exception):
    """A check did not hold; the message says what."""


@dataclass
class Run:
    """Runs commands for one check, and keeps what they print."""

    log: TextIO
    tools: Path  # the environment with the publishing tools

    def __call__(
        self, *command: str | Path, tools: Path | None = None, cwd: Path = ROOT, env: Mapping[str, str] = NONE
    ) -> str:
        """What a command prints; raises CalledProcessError where its exit code is not 0."""
        path = f"{tools or self.tools}:{os.environ['PATH']}"
        self.log.write(f"$ {' '.join(map(str, command))}\n")
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **env},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.log.write(done.stdout)
        self.log.flush()
        done.check_returncode()
        return done.stdout


Check = Callable[[Run], str]


def tarball() -> Path:
    """Where the built collection is."""
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    return OUTPUT / f"{galaxy['namespace']}-{galaxy['name']}-{galaxy['version']}.tar.gz"


def build(run: Run) -> str:
    """The tarball, with only what is meant to be in it, its checksum and its bill of materials."""
    run("ansible-galaxy", "collection", "build", "--force", "--output-path", OUTPUT)
    with tarfile.open(tarball()) as archive:
        members = archive.getmembers()
    foreign = sorted({one.name.partition("/")[0] for one in members} - TOP_LEVEL)
    if foreign:
        raise Failed(f"the tarball holds {', '.join(foreign)}; add them to build_ignore in galaxy.yml")
    if tarball().stat().st_size > LARGEST:
        raise Failed(f"the tarball has {tarball().stat().st_size} bytes, more than {LARGEST}")
    digest = hashlib.sha256(tarball().read_bytes()).hexdigest()
    Path(f"{tarball()}.sha256").write_text(f"{digest}  {tarball().name}\n", encoding="utf-8")
    sbom.write(tarball(), digest, ROOT / "requirements.txt", ROOT / "constraints.txt")
    return f"{len(members)} files, {tarball().stat().st_size // 1024} KiB, sha256 {digest[:12]}…, SBOM"


def ignores(_run: Run) -> str:
    """Only ignores of sanity tests that certification permits."""
    found = sanity_ignores.forbidden(ROOT / "tests/sanity")
    if found:
        raise Failed(f"certification does not permit {', '.join(found)}; mend what they ignore")
    return "none that certification does not permit"


def install(run: Run) -> str:
    """The tarball alone, in an empty environment with what the README names, runs; on the lab it makes a mesh."""
    requirements = _lines(ROOT / "requirements.txt")
    empty = environments.environment(_newest(), ["ansible-core", *requirements])
    place = OUTPUT / "installed"
    shutil.rmtree(place, ignore_errors=True)
    run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", place, tarball(), tools=empty)
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(place)}
    run("ansible-doc", "--list", "meshops.istio", tools=empty, cwd=OUTPUT, env=paths)
    run("ansible-doc", "--type", "role", "meshops.istio.mesh", tools=empty, cwd=OUTPUT, env=paths)
    run("ansible-playbook", "--syntax-check", "meshops.istio.site", tools=empty, cwd=OUTPUT, env=paths)
    variables = lab.variables()
    if variables is None:
        return "loads; no mesh, because this machine cannot have a lab"
    site = ["ansible-playbook", "meshops.istio.site", "--extra-vars", f"@{variables}"]
    run(*site, tools=empty, cwd=OUTPUT, env=paths)
    again = run(*site, tools=empty, cwd=OUTPUT, env=paths)
    if "changed=0 " not in again:
        raise Failed("a second run of the site reports changes")
    return "the site makes a mesh on the lab, and changes nothing the second time"


def sanity(core: str, version: str) -> Check:
    """ansible-test sanity of one ansible-core on one Python."""

    def check(run: Run) -> str:
        interpreter = environments.python(version)
        if interpreter is None:
            return f"left out: this machine has no Python {version}"
        packages = [f"ansible-core=={core}.*", *_lines(ROOT / "requirements.txt")]
        run(ROOT / "tools/sanity", tools=environments.environment(interpreter, packages))
        return "clean"

    return check


def lowest(run: Run) -> str:
    """The unit tests of what uses libraries, with the oldest versions that the requirements allow."""
    interpreter = environments.python("3.11")
    if interpreter is None:
        return "left out: this machine has no Python 3.11"
    packages = [*_lines(ROOT / "constraints-lowest.txt"), "pytest", "cryptography", "requests"]
    tools = environments.environment(interpreter, packages)
    collections = OUTPUT / "lowest/ansible_collections/meshops"
    collections.mkdir(parents=True, exist_ok=True)
    link = collections / "istio"
    if not link.is_symlink():
        link.symlink_to(ROOT, target_is_directory=True)
    printed = run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/kube", "tests/unit/download",
                  "tests/unit/modules", tools=tools, env={"PYTHONPATH": str(OUTPUT / "lowest")})  # fmt: skip
    return printed.strip().rpartition("\n")[2]


def importer(run: Run) -> str:
    """What Galaxy and Automation Hub do with a tarball on its way in."""
    printed = run("python", "-m", "galaxy_importer.main", tarball(), cwd=OUTPUT)
    if "Importer processing completed successfully" not in printed:
        raise Failed("the importer did not come to its end")
    found = [line for line in printed.splitlines() if line.startswith("ERROR")]
    if found:
        raise Failed(found[0])
    return "completed"


def documentation(run: Run) -> str:
    """The documentation of plugins, roles and guides, checked; and the site that is made of it."""
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", ".",
        cwd=_unpacked(run))  # fmt: skip
    source = OUTPUT / "docs-source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(mode=0o700)  # antsibull-docs wants nobody else to write there
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(OUTPUT / "unpacked")}
    run("antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", source,
        "meshops.istio", env=collections)  # fmt: skip
    rst = source / "rst"
    rst.mkdir(mode=0o700, exist_ok=True)
    run("antsibull-docs", "--config-file", source / "antsibull-docs.cfg", "collection", "--use-current",
        "--squash-hierarchy", "--fail-on-error", "--dest-dir", rst, "meshops.istio", env=collections)  # fmt: skip
    site = OUTPUT / "docs"
    # Other collections have their indexes on the internet: links to their pages are left open, and the rest counts.
    printed = run("sphinx-build", "-M", "html", rst, site, "-c", source, "-E", "-D", "extensions=sphinx_antsibull_ext",
                  env=collections)  # fmt: skip
    wrong = [line for line in printed.splitlines() if "WARNING: " in line and not _OF_OTHERS.search(line)]
    if wrong:
        raise Failed(f"{len(wrong)} warnings, the first: {wrong[0]}")
    return f"{len(list(site.rglob('*.html')))} pages in {site.relative_to(ROOT)}/html"


def changelog(run: Run) -> str:
    """Fragments that antsibull-changelog takes, and the changelog that it makes of them."""
    run("antsibull-changelog", "lint")
    return "well-formed"


def execution_environment(run: Run) -> str:
    """The build context of the execution environment, and releases baked in; the image where an engine answers."""
    context = OUTPUT / "execution-environment"
    shutil.rmtree(context, ignore_errors=True)
    definition = ROOT / "execution-environment.yml"
    run("ansible-builder", "create", "--file", definition, "--context", context, "--output-filename", "Containerfile")
    run("hadolint", "--failure-threshold", "error", context / "Containerfile")
    baked = _baked(run)
    engine = next((name for name in ("podman", "docker") if _runs(name)), None)
    if engine is None:
        return f"the context is made, {baked}; no image, because no container engine runs here"
    run("ansible-builder", "build", "--container-runtime", engine, "--file", definition, "--context", context,
        "--tag", "meshops-istio-ee")  # fmt: skip
    return f"the image is built by {engine}, {baked}"


def _baked(run: Run) -> str:
    """Bakes the lab's release into a folder, and finds it there by the variable that the image sets."""
    variables = lab.variables()
    if variables is None:
        return "no release baked, because this machine cannot have a lab"
    version, folder = "1.29.1", OUTPUT / "baked"
    shutil.rmtree(folder, ignore_errors=True)
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(OUTPUT / "unpacked")}
    _unpacked(run)
    archive = OUTPUT / f"istio-{version}-linux-amd64.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(next(Path(lab.read(variables)["mesh_release_source"]).glob(f"istio-{version}")), f"istio-{version}")
    run(ROOT / "tools/ee/bake-releases", folder, version, env={"SOURCE": str(archive), **collections})  # fmt: skip
    found = run("ansible", "localhost", "--connection", "local", "--module-name", "meshops.istio.release", "--args",
                f"version={version}", env={"MESHOPS_RELEASE_SOURCE": str(folder), **collections})  # fmt: skip
    if f"{folder}/istio-{version}" not in found:
        raise Failed("a baked release is not used where it is")
    return f"Istio {version} baked and found"


def checks() -> Iterator[tuple[str, Check]]:
    """All checks by name, in their order."""
    yield "build", build
    yield "ignores", ignores
    yield "install", install
    yield "lowest", lowest
    yield "importer", importer
    yield "documentation", documentation
    yield "changelog", changelog
    yield "execution-environment", execution_environment
    for core, versions in environments.CONTROLLERS.items():
        for version in versions:
            yield f"sanity-{core}-python{version}", sanity(core, version)


def _newest() -> str:
    found = next(filter(None, map(environments.python, ("3.13", "3.12", "3.11"))), None)
    if found is None:
        raise Failed("this machine has no Python 3.11, 3.12 or 3.13")
    return found


def _lines(path: Path) -> list[str]:
    stripped = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in stripped if line]


def _unpacked(run: Run) -> Path:
    place = OUTPUT / "unpacked"
    run("ansible-galaxy", "collection", "install", "--offline", "--force", "--no-deps", "--collections-path", place,
        tarball())  # fmt: skip
    return place / "ansible_collections/meshops/istio"


def _runs(engine: str) -> bool:
    try:
        return subprocess.run([engine, "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
