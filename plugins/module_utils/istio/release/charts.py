# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the charts of a release contain: their registry, and Istio's kinds."""

from __future__ import annotations

import re

from ...kube.yaml.text_encoding import read_text
from .release import Release

_HUB = re.compile(r"^\s*hub: *[\"']?([^\s\"'#]+)", re.MULTILINE)
_NAME = re.compile(r"^  name: ([a-z]+)\.([a-z.]+\.istio\.io)$", re.MULTILINE)


def chart_hub(release: Release) -> str:
    """Return the registry of images in the charts; empty if unknown."""
    values = release.manifests / "charts" / "istio-control" / "istio-discovery" / "values.yaml"
    found = _HUB.search(read_text(values)) if values.is_file() else None
    return found[1] if found else ""


def defined_resources(release: Release) -> list[tuple[str, str]]:
    """Return group and plural of Istio's kinds, by the release's CRDs; empty if it has none where they are expected."""
    base = release.manifests / "charts" / "base"
    files = [path for folder in ("files", "crds") for path in (base / folder).glob("crd-*.yaml")]
    return sorted({(group, plural) for path in files for plural, group in _NAME.findall(read_text(path))})
