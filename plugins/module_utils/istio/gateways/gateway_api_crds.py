# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes' Gateway API, which is no part of Istio: its CRDs, brought to clusters that lack them.

They are shared by all who use them, so that those which somebody else has installed stay as they are, no version is
ever taken back, and nothing removes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ...kube.apply.lock import Lock
from ...kube.errors import InvalidInput
from ...kube.objects.field_managers import PREVIOUS
from ...kube.objects.managed_fields import owned_by
from ...kube.objects.objects import Kind
from ...kube.plan.unit import Unit

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Object = dict[str, Any]

MANAGER = "meshops.istio/gateway_api"
LOCK = Lock.of("gateway-api")
RELEASES = "https://github.com/kubernetes-sigs/gateway-api/releases/download"

_DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_GROUP = "gateway.networking.k8s.io"
_GATEWAYS = f"gateways.{_GROUP}"
_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(-[\w.]+)?")


class Installed(NamedTuple):
    """What a Gateway API calls itself, empty where it does not say, and whether this collection has installed it."""

    version: str
    channel: str
    ours: bool = False

    @classmethod
    def of(cls, definition: Object) -> Installed:
        """What its CRD of gateways says."""
        notes = definition["metadata"].get("annotations") or {}
        ours = owned_by(definition, MANAGER) is not None
        return cls(notes.get(f"{_GROUP}/bundle-version", ""), notes.get(f"{_GROUP}/channel", ""), ours)


def installed(cluster: Cluster) -> Installed | None:
    """The Gateway API that the cluster has."""
    definition = cluster.get(_DEFINITION, _GATEWAYS)
    return Installed.of(definition) if definition else None


def release_url(version: str, channel: str) -> str:
    """Where its authors publish a version's manifests. Raises InvalidInput for what is no exact version."""
    if not _VERSION.fullmatch(version):
        raise InvalidInput(f"'{version}' is not an exact version of the Gateway API, such as v1.4.0.", version=version)
    return f"{RELEASES}/{version}/{channel}-install.yaml"


def contained(objects: Iterable[Object]) -> Installed:
    """The Gateway API that manifests hold. Raises InvalidInput where they hold none."""
    for obj in objects:
        if obj["kind"] == _DEFINITION.kind and obj["metadata"]["name"] == _GATEWAYS:
            return Installed.of(obj)
    raise InvalidInput(f"The manifests do not hold the Gateway API: there is no CRD {_GATEWAYS} among them.")


def is_older(wanted: Installed, there: Installed) -> bool:
    """Whether a version would be a step back."""
    return _number(wanted.version) < _number(there.version)


def unit(objects: list[Object]) -> Unit:
    """What `reconcile` is to make of the cluster; without a prune."""
    return Unit(MANAGER, objects, retired=PREVIOUS)


def _number(version: str) -> tuple[int, ...]:
    match = _VERSION.fullmatch(version)
    return tuple(int(match[part]) for part in (1, 2, 3)) if match else ()
