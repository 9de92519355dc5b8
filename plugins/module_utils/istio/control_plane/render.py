# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render a configuration with istioctl, or take the result from the cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...kube.errors import InvalidInput, MeshError
from ...kube.objects.objects import Object
from ...kube.objects.redaction import holds_secret, secret_values
from ..release.cache import belongs, cache_folder, write_atomically
from ..release.istioctl import Istioctl, IstioctlFailed
from ..release.release import Release
from .operator_merge import get_path
from .overlays import Overlay
from .unknown_fields import Unknown, unknown_fields

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_FORMAT = 1
"""Version of the cache's format."""
_MAX_ENTRIES = 64
"""Entries in the cache; one is a few hundred kB."""


@dataclass(frozen=True)
class Renderer:
    """Renders with one release for one cluster; without a cluster, for the oldest Kubernetes that it supports."""

    release: Release
    cluster: Cluster | None = None
    cache_dir: str | None = None

    def render(self, overlays: Sequence[Overlay], sets: Sequence[str] = (), *, base_chart: str = "") -> list[Object]:
        """Return the objects that `istioctl manifest generate --cluster-specific` prints for these inputs.

        istioctl reads only the version of the cluster, so that version, binary and inputs identify a cache entry.
        `base_chart`: a chart of the release to render in place of `base`, because no command of istioctl renders the
        chart with the default validator. Inputs with secrets are never cached. Raises InvalidInput.
        """
        if _hold_secrets(overlays, sets):
            return self._run(overlays, sets, base_chart)
        digest = self._hash(overlays, sets, base_chart)
        return cast(list[Object], self._cached(digest, lambda: self._run(overlays, sets, base_chart)))

    def warnings(self, overlays: Sequence[Overlay], sets: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
        """Return the warnings of `istioctl install` for these inputs; empty without a cluster.

        `settings`: those of the cluster's CNI (see `install_warnings`).
        """
        if self.cluster is None:
            return []
        version = self.cluster.version()
        answer = {"major": str(version.major), "minor": str(version.minor), "gitVersion": version.git}
        answers = {**settings, "/version": answer}
        texts = [overlay.for_istioctl for overlay in overlays]
        istioctl = Istioctl(self.release)
        if _hold_secrets(overlays, sets):
            return istioctl.install_warnings(texts, sets, answers=answers)
        digest = self._hash(overlays, sets, settings=settings)
        return cast(list[str], self._cached(digest, lambda: istioctl.install_warnings(texts, sets, answers=answers)))

    def unknown_fields(
        self, overlays: Sequence[Overlay], sets: Sequence[str], configuration: Mapping[str, Any]
    ) -> list[Unknown]:
        """Return the fields of the configuration, which these inputs result in, that istioctl accepts without knowing."""

        def find() -> list[Unknown]:
            return unknown_fields(self.release, configuration)

        if _hold_secrets(overlays, sets):
            return find()
        found = self._cached(self._hash(overlays, sets, settings={"unknown_fields": True}), find)
        return [Unknown(*one) for one in found]

    def _cached(self, digest: str, make: Callable[[], Any]) -> Any:
        folder = cache_folder("rendered", self.cache_dir)
        entry = folder / f"{digest}.json"
        if belongs(entry):
            with contextlib.suppress(OSError, ValueError):
                return json.loads(entry.read_bytes())
        made = make()
        with contextlib.suppress(OSError):
            write_atomically(entry, json.dumps(made, separators=(",", ":")).encode())
            _delete_old(folder)
        return made

    def _hash(
        self,
        overlays: Sequence[Overlay],
        sets: Sequence[str],
        base_chart: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> str:
        charts = [Path(path) for path in _chart_folders(overlays, sets)]
        if base_chart:
            charts.append(self._chart(base_chart))
        inputs = {
            "format": _FORMAT,
            "istioctl": Istioctl(self.release).identity,
            "kubernetes": self.cluster.version() if self.cluster else None,
            "overlays": [overlay.for_istioctl for overlay in overlays],
            "sets": list(sets),
            "charts": [[str(path), _newest(path)] for path in charts],
            # The only environment variable that changes what istioctl renders.
            "environment": os.environ.get("AUTO_GKE_DETECTION"),
            **({} if settings is None else {"warnings": settings}),
        }
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()

    def _chart(self, name: str) -> Path:
        return self.release.manifests / "charts" / name

    def _run(self, overlays: Sequence[Overlay], sets: Sequence[str], base_chart: str) -> list[Object]:
        texts = [overlay.for_istioctl for overlay in overlays]
        try:
            with contextlib.ExitStack() as stack:
                charts = stack.enter_context(self._replaced(base_chart)) if base_chart else None
                return Istioctl(self.release, self.cluster).render(texts, sets, charts=charts)
        except IstioctlFailed as error:
            raise explain(error, self.release, overlays, sets) from error

    @contextlib.contextmanager
    def _replaced(self, base_chart: str) -> Iterator[Path]:
        """Create a manifests folder in which the chart `base` is replaced."""
        with tempfile.TemporaryDirectory(prefix="meshops-") as name:
            folder = Path(name)
            (folder / "charts").mkdir()
            (folder / "profiles").symlink_to(self.release.manifests / "profiles")
            for chart in (self.release.manifests / "charts").iterdir():
                if chart.name != "base":
                    (folder / "charts" / chart.name).symlink_to(chart)
            # istioctl does not follow links inside a chart, hence the copy. The webhooks of tags come from istiod's
            # chart.
            without = shutil.ignore_patterns("mutatingwebhook.yaml")
            shutil.copytree(self._chart(base_chart), folder / "charts" / "base", ignore=without)
            yield folder


def _hold_secrets(overlays: Sequence[Overlay], sets: Sequence[str]) -> bool:
    """Return whether the inputs contain secrets, which must not be cached."""
    return any(any(secret_values(overlay.document)) for overlay in overlays) or any(map(holds_secret, sets))


def explain(error: IstioctlFailed, release: Release, overlays: Sequence[Overlay], sets: Sequence[str]) -> MeshError:
    """Turn istioctl's error about a configuration into one that names the user's input."""
    output = error.output
    unknown = re.search(r'unknown field "([^"]+)"(?: in \S*?(\w+)Config)?', output)
    if unknown:
        where = _where(unknown[1], overlays, sets)
        return InvalidInput(
            f"{where} is invalid: unknown field '{unknown[1]}' in Istio {release.version}. Correct or remove it.",
            field=unknown[1],
        )
    wrong = re.search(r"cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type \S+", output)
    if wrong:
        field = wrong[2]
        where = _where(field.rpartition(".")[2], overlays, sets)
        return InvalidInput(
            f"{where} is invalid: '{field}' has a value of the wrong type ({wrong[1]}). Correct it.", field=field
        )
    platform = re.search(r"unknown platform (\S+)", output)
    if platform:
        known = (release.manifests / "charts" / "base" / "files").glob("profile-platform-*.yaml")
        names = ", ".join(sorted(path.stem.removeprefix("profile-platform-") for path in known))
        return InvalidInput(
            f"Platform '{platform[1]}' not found in Istio {release.version}. Choose one of {names}, or remove platform:"
            " others need no settings.",
            platform=platform[1],
        )
    message = next((line for line in output.splitlines() if line.startswith("Error: ")), "").removeprefix("Error: ")
    if not message:
        return error
    return InvalidInput(
        f"istioctl {release.version} rejected this configuration: {message.rstrip('.')}. Correct the options or overlays.",
        output=output,
    )


def _where(field: str, overlays: Sequence[Overlay], sets: Sequence[str]) -> str:
    for flag in sets:
        if field in re.split(r"[.=\[\]:]", flag) or flag.startswith(f"{field}="):
            return f"The entry '{flag}' of set"
    for overlay in overlays:
        if overlay.holds(field):
            line = overlay.line_of(field)
            return f"{overlay.source}, line {line}" if line else overlay.source
    return "The configuration"


def _chart_folders(overlays: Sequence[Overlay], sets: Sequence[str]) -> list[str]:
    """Return the folders of charts that replace the release's own (installPackagePath)."""
    named = [get_path(overlay.document, "spec.installPackagePath") for overlay in overlays]
    named += [flag.partition("=")[2] for flag in sets if flag.startswith("installPackagePath=")]
    return [path for path in named if path]


def _newest(folder: Path) -> int:
    """Return the time of the latest change below a folder, following links, in nanoseconds."""
    return max(
        (
            (Path(parent) / name).stat().st_mtime_ns
            for parent, _folders, names in os.walk(folder, followlinks=True)
            for name in names
        ),
        default=0,
    )


def _delete_old(folder: Path) -> None:
    entries = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for entry in entries[:-_MAX_ENTRIES]:
        entry.unlink(missing_ok=True)
