# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CRDs of the Kubernetes Gateway API, which is not part of Istio.

Other controllers use them too: CRDs that others have installed are not changed, and there is no downgrade or removal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ...kube.apply.lock import Lock
from ...kube.errors import InvalidInput
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.kinds import CUSTOM_RESOURCE_DEFINITION
from ...kube.objects.managed_fields import owned_by
from ...kube.objects.objects import Object
from ...kube.plan.unit import Unit

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

MANAGER = "meshops.istio/gateway_api"
LOCK = Lock.of("gateway-api")
RELEASES = "https://github.com/kubernetes-sigs/gateway-api/releases/download"

_GROUP = "gateway.networking.k8s.io"
_GATEWAYS = f"gateways.{_GROUP}"
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(-[\w.]+)?")


class Installed(NamedTuple):
    """Version and channel of a Gateway API, empty if unknown, and whether this collection has installed it."""

    version: str
    channel: str
    ours: bool = False

    @classmethod
    def of(cls, definition: Object) -> Installed:
        """Read the annotations of its CRD of Gateways."""
        notes = definition["metadata"].get("annotations") or {}
        ours = owned_by(definition, MANAGER) is not None
        return cls(notes.get(f"{_GROUP}/bundle-version", ""), notes.get(f"{_GROUP}/channel", ""), ours)


def installed(cluster: Cluster) -> Installed | None:
    """Return the Gateway API of the cluster, None if it is not installed."""
    definition = cluster.get(CUSTOM_RESOURCE_DEFINITION, _GATEWAYS)
    return Installed.of(definition) if definition else None


def definition_of(kind: str) -> str:
    """Return the name of the CRD of a kind."""
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return f"{plural.lower()}.{_GROUP}"


def release_url(version: str, channel: str) -> str:
    """Return the URL of a version's manifests. Raises InvalidInput for anything but an exact version."""
    if not _VERSION.fullmatch(version):
        raise InvalidInput(
            f"The Gateway API version '{version}' is invalid: it must be an exact version, such as v1.4.0.",
            version=version,
        )
    return f"{RELEASES}/{version}/{channel}-install.yaml"


def contained(objects: Iterable[Object]) -> Installed:
    """Return the Gateway API in manifests. Raises InvalidInput if there is none."""
    for obj in objects:
        if obj["kind"] == CUSTOM_RESOURCE_DEFINITION.kind and obj["metadata"]["name"] == _GATEWAYS:
            return Installed.of(obj)
    raise InvalidInput(
        f"The manifests do not contain the Gateway API: CustomResourceDefinition {_GATEWAYS} not found. Use the release's"
        " standard-install.yaml or experimental-install.yaml."
    )


def is_older(wanted: Installed, there: Installed) -> bool:
    """Return whether a version would be a downgrade."""
    return _number(wanted.version) < _number(there.version)


def unit(objects: list[Object]) -> Unit:
    """Return the desired state of the CRDs, without pruning."""
    return Unit(MANAGER, objects, previous_managers=PREVIOUS)


def _number(version: str) -> tuple[int, ...]:
    match = _VERSION.fullmatch(version)
    return tuple(int(match[part]) for part in (1, 2, 3)) if match else ()
