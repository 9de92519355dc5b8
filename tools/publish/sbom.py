# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's bill of materials, in CycloneDX's form."""

from __future__ import annotations

import re
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def write(tarball: Path, digest: str, requirements: Path, constraints: Path) -> None:
    """Write `<tarball>.cdx.json`: the tarball, which holds no third-party file, and what it asks for, as tested."""
    namespace, name, version = tarball.name.removesuffix(".tar.gz").split("-", 2)
    collection = Component(
        name=f"{namespace}.{name}",
        version=version,
        type=ComponentType.APPLICATION,
        licenses=[DisjunctiveLicense(id="GPL-3.0-or-later")],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    bom = Bom()
    bom.metadata.component = collection
    tested = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", constraints.read_text(encoding="utf-8"), re.MULTILINE))
    needed = re.findall(r"^([\w.-]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    parts = [_python_package(package.lower(), tested[package.lower()]) for package in needed]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(collection, parts)
    JsonV1Dot6(bom).output_to_file(f"{tarball}.cdx.json", allow_overwrite=True, indent=2)


def _python_package(name: str, version: str) -> Component:
    url = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, type=ComponentType.LIBRARY, purl=url, bom_ref=url.to_string())
