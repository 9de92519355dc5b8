# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find namespaces in which nothing can be created: those that are not found, and those that are being deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...kube.objects.kinds import NAMESPACE

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster


def unusable(cluster: Cluster, names: Iterable[str]) -> dict[str, str]:
    """Return those of the named namespaces in which nothing can be created, each with the reason."""
    asked = sorted(set(names) - {""})
    answers = cluster.parallel(lambda name: cluster.get(NAMESPACE, name), asked)
    found = {}
    for name, namespace in zip(asked, answers, strict=True):
        if namespace is None:
            found[name] = "not found"
        elif namespace["metadata"].get("deletionTimestamp"):
            found[name] = "is being deleted"
    return found
