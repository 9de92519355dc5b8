# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences that are meant to be: each with its reason, which is printed where one is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.model.labels import OWNER_NAME, labels_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.inventory import LABEL

from .compare import Difference

Objects = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class Expected:
    """A kind of difference, why it is meant to be, and which ones it covers, given what istioctl leaves.

    of_moves: met only where one configuration is applied over another.
    """

    name: str
    reason: str
    covers: Callable[[Difference, Objects], bool]
    of_moves: bool = True


def explained(found: Difference, theirs: Objects, *, move: bool) -> Expected | None:
    """The expectation that covers a difference, if one does."""
    return next((one for one in EXPECTED if (move or not one.of_moves) and one.covers(found, theirs)), None)


def _is_scaled(found: Difference, theirs: Objects) -> bool:
    if found.key.kind != "Deployment" or found.path != ("spec", "replicas"):
        return False
    targets = [
        (key.namespace, hpa["spec"]["scaleTargetRef"]["name"])
        for key, hpa in theirs.items()
        if key.kind == "HorizontalPodAutoscaler"
    ]
    return (found.key.namespace, found.key.name) in targets


def _is_crd(found: Difference, theirs: Objects) -> bool:
    return found.theirs is None and not found.path and found.key.kind == "CustomResourceDefinition"


def _is_of_another_owner(found: Difference, theirs: Objects) -> bool:
    if found.theirs is not None or found.path:
        return False
    owner = labels_of(found.ours).get(OWNER_NAME)
    return owner is not None and owner not in {labels_of(obj).get(OWNER_NAME) for obj in theirs.values()}


def _is_inventory(found: Difference, theirs: Objects) -> bool:
    return found.theirs is None and not found.path and LABEL in labels_of(found.ours)


_HELM = "meta.helm.sh/"
_NAMED = {("labels", "release"), ("labels", "app.kubernetes.io/instance")}


def _is_of_helm(found: Difference, theirs: Objects) -> bool:
    if found.key.kind == "Secret":
        return found.theirs is None and found.key.name.startswith("sh.helm.release.")
    if found.key.kind == "Namespace":
        # --create-namespace labels it with its name.
        return found.path[-2:] == ("labels", "name") and found.theirs is None and found.ours == found.key.name
    if found.path[-1:] == ("annotations",):
        return found.theirs is None and all(str(name).startswith(_HELM) for name in found.ours)
    return bool(found.path) and (str(found.path[-1]).startswith(_HELM) or found.path[-2:] in _NAMED)


EXPECTED = (
    Expected(
        "replicas",
        "an HPA scales the Deployment: it chooses spec.replicas, and what was there is handed over to it",
        _is_scaled,
        of_moves=False,
    ),
    Expected(
        "inventory",
        "it lists what we have applied, so that all of that is found again and nothing else is deleted",
        _is_inventory,
        of_moves=False,
    ),
    Expected("CRDs", "CRDs are never pruned: the users' resources would go with them", _is_crd),
    Expected(
        "another owner",
        "it belongs to an IstioOperator of another name, of which neither istioctl nor we prune anything",
        _is_of_another_owner,
    ),
    Expected(
        "Helm",
        "what Helm has installed keeps the names of its release, so that nothing restarts and Helm still knows it",
        _is_of_helm,
    ),
)
