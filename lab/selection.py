# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Select the versions of a lab: what is asked for, else what the lab has, else the default."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from . import binaries, versions
from .binaries import BINARIES, Binary
from .errors import LabError
from .files import write
from .paths import Lab


@dataclass(frozen=True)
class Selection:
    """Releases of Istio, the first of which a site on the lab installs, and the version of Kubernetes."""

    istio: tuple[str, ...] = (versions.ISTIO,)
    kubernetes: str = versions.KUBERNETES

    @property
    def binaries(self) -> Mapping[str, Binary]:
        """The programs of the lab's node, by name."""
        return BINARIES | binaries.kubernetes(self.kubernetes)


def select(istio: str = "", kubernetes: str = "", *, existing: Selection | None = None) -> Selection:
    """Return the selection for ISTIO (comma-separated) and KUBERNETES; LabError for an unknown version."""
    releases = tuple(dict.fromkeys(istio.replace(",", " ").split()))
    _check("ISTIO", releases, versions.ISTIO_RELEASES)
    _check("KUBERNETES", [kubernetes] if kubernetes else [], versions.KUBERNETES_VERSIONS)
    if existing:
        if kubernetes not in ("", existing.kubernetes):
            raise LabError(
                f"KUBERNETES={kubernetes}: the lab runs Kubernetes {existing.kubernetes}. "
                "Remove it first with `make lab-down`, or use another LAB."
            )
        return Selection(releases or existing.istio, existing.kubernetes)
    first = (releases or (versions.ISTIO,))[0]
    return Selection(releases or (first,), kubernetes or versions.ISTIO_RELEASES[first].kubernetes)


def _check(variable: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    if unknown := [version for version in wanted if version not in known]:
        raise LabError(f"{variable}={','.join(unknown)}: the lab has no such version. Use {', '.join(known)}.")


def saved(lab: Lab) -> Selection | None:
    """Return the selection of a lab that exists."""
    path = lab.state / "versions.json"
    if not path.exists():
        # A lab that was made before there was a choice.
        return Selection(("1.29.1",), "1.35.4") if lab.kubeconfig.exists() else None
    kept = json.loads(path.read_text())
    return Selection(tuple(kept["istio"]), kept["kubernetes"])


def save(lab: Lab, selection: Selection) -> None:
    """Save the selection, so that a repair keeps it."""
    write(lab.state / "versions.json", json.dumps(asdict(selection)))
