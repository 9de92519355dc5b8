# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse a release whose API versions the cluster no longer serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.api import unserved
from ...kube.objects.builtin_kinds import BUILT_IN, defined_by
from ...kube.objects.objects import kind_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster


def refuse_unserved(cluster: Cluster, objects: Iterable[Mapping[str, Any]], version: str) -> None:
    """Raise Refused if the release `version` has a kind at an API version that the cluster does not serve.

    Istio 1.8, for example, has CRDs of apiextensions.k8s.io/v1beta1, which Kubernetes 1.22 removed.
    """
    objects = list(objects)
    defined = {defined_by(obj) for obj in objects if obj["kind"] == "CustomResourceDefinition"}
    kinds = {kind_of(obj) for obj in objects} - BUILT_IN.keys()
    needed = [kind for kind in sorted(kinds) if (kind.group, kind.kind) not in defined and not cluster.serves(kind)]
    if needed:
        kubernetes = cluster.version().git.lstrip("v")
        remedy = f"Install a release of Istio that supports Kubernetes {kubernetes}."
        unserved.refuse_unserved(cluster, needed, remedy, task=f"Cannot install Istio {version}", code="api_not_served")
