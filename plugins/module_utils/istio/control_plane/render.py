# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rendered objects of a configuration: from the user's cache where the same inputs were rendered before."""

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
from ...kube.objects.redaction import holds_secret, secret_values
from ..release.cache import belongs, cache_folder, write_atomically
from ..release.istioctl import Istioctl, IstioctlFailed
from ..release.release import Release
from .operator_merge import get_path
from .overlays import Overlay

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = dict[str, Any]

_FORMAT = 1
"""Raised when what is cached under a hash changes its shape."""
_KEPT = 64
"""Entries kept in the cache; one is a few hundred kB."""


@dataclass(frozen=True)
class Renderer:
    """Renders with one release for one cluster; without a cluster, for the oldest Kubernetes of the release."""

    release: Release
    cluster: Cluster | None = None
    cache_dir: str | None = None

    def render(self, overlays: Sequence[Overlay], sets: Sequence[str] = (), *, base_chart: str = "") -> list[Object]:
        """The objects that `istioctl manifest generate --cluster-specific` prints for these inputs.

        Of the cluster, istioctl looks at the version only, so that names an entry of the cache together with the
        binary and the inputs. `base_chart` names a chart of the release to be rendered in place of the chart `base`:
        the one with the default validator is rendered by no command of istioctl. Inputs with secrets are rendered each
        time. Raises InvalidInput.
        """
        if _hold_secrets(overlays, sets):
            return self._run(overlays, sets, base_chart)
        digest = self._hash(overlays, sets, base_chart)
        return cast(list[Object], self._cached(digest, lambda: self._run(overlays, sets, base_chart)))

    def warnings(self, overlays: Sequence[Overlay], sets: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
        """What `istioctl install` would warn of for these inputs; empty without a cluster.

        `settings`: those of the cluster's network (see `install_warnings`).
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

    def _cached(self, digest: str, make: Callable[[], Any]) -> Any:
        folder = cache_folder("rendered", self.cache_dir)
        entry = folder / f"{digest}.json"
        if belongs(entry):
            with contextlib.suppress(OSError, ValueError):
                return json.loads(entry.read_bytes())
        made = make()
        with contextlib.suppress(OSError):
            write_atomically(entry, json.dumps(made, separators=(",", ":")).encode())
            _forget_old(folder)
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
            # The one variable of the environment that changes what istioctl renders.
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
        """A manifests folder of the release in which the chart `base` is another one."""
        with tempfile.TemporaryDirectory(prefix="meshops-") as name:
            folder = Path(name)
            (folder / "charts").mkdir()
            (folder / "profiles").symlink_to(self.release.manifests / "profiles")
            for chart in (self.release.manifests / "charts").iterdir():
                if chart.name != "base":
                    (folder / "charts" / chart.name).symlink_to(chart)
            # istioctl follows a link to a folder of charts, but none inside a chart, hence the copy. The webhooks
            # of tags come from istiod's own chart.
            without = shutil.ignore_patterns("mutatingwebhook.yaml")
            shutil.copytree(self._chart(base_chart), folder / "charts" / "base", ignore=without)
            yield folder


def _hold_secrets(overlays: Sequence[Overlay], sets: Sequence[str]) -> bool:
    """Whether the inputs hold secrets, for which a cache is no place."""
    return any(any(secret_values(overlay.document)) for overlay in overlays) or any(map(holds_secret, sets))


def explain(error: IstioctlFailed, release: Release, overlays: Sequence[Overlay], sets: Sequence[str]) -> MeshError:
    """What istioctl's refusal of a configuration means to the one who wrote it."""
    output = error.output
    unknown = re.search(r'unknown field "([^"]+)"(?: in \S*?(\w+)Config)?', output)
    if unknown:
        where = _where(unknown[1], overlays, sets)
        return InvalidInput(
            f"{where}: Istio {release.version} does not know the field '{unknown[1]}'.", field=unknown[1]
        )
    wrong = re.search(r"cannot unmarshal (\w+) into Go struct field \w+\.(\S+) of type \S+", output)
    if wrong:
        field = wrong[2]
        where = _where(field.rpartition(".")[2], overlays, sets)
        return InvalidInput(f"{where}: '{field}' has a value of the wrong type ({wrong[1]}).", field=field)
    platform = re.search(r"unknown platform (\S+)", output)
    if platform:
        known = (release.manifests / "charts" / "base" / "files").glob("profile-platform-*.yaml")
        names = ", ".join(sorted(path.stem.removeprefix("profile-platform-") for path in known))
        return InvalidInput(
            f"Istio {release.version} has no settings for the platform '{platform[1]}'; it has them for {names}, and"
            " any other needs none.",
            platform=platform[1],
        )
    said = next((line for line in output.splitlines() if line.startswith("Error: ")), "").removeprefix("Error: ")
    if not said:
        return error
    return InvalidInput(f"Istio {release.version} refuses this configuration: {said.rstrip('.')}.", output=output)


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
    """The folders of charts that the user has istioctl read instead of its own."""
    named = [get_path(overlay.document, "spec.installPackagePath") for overlay in overlays]
    named += [flag.partition("=")[2] for flag in sets if flag.startswith("installPackagePath=")]
    return [path for path in named if path]


def _newest(folder: Path) -> int:
    """The latest change below a folder, following links, in nanoseconds."""
    return max(
        (
            (Path(parent) / name).stat().st_mtime_ns
            for parent, _folders, names in os.walk(folder, followlinks=True)
            for name in names
        ),
        default=0,
    )


def _forget_old(folder: Path) -> None:
    entries = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for entry in entries[:-_KEPT]:
        entry.unlink(missing_ok=True)
