# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds that the cluster does not serve: refused by one check and one sentence, or awaited."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from ..deadline import seconds_left
from ..errors import Refused

if TYPE_CHECKING:
    from ..objects.objects import Kind
    from .cluster import Cluster

_PAUSE = 0.2


def await_served(cluster: Cluster, kinds: Collection[Kind], *, timeout: float) -> None:
    """Wait at most `timeout` seconds until the API server serves kinds whose CRDs were just created."""
    deadline = time.monotonic() + timeout
    while True:
        cluster.discovery.forget()
        if all(map(cluster.serves, kinds)) or not seconds_left(deadline):
            return
        time.sleep(_PAUSE)


def refuse_unserved(
    cluster: Cluster, kinds: Iterable[Kind], remedy: str, *, task: str = "", code: str = "not_installed", **details: Any
) -> None:
    """Raise Refused if the cluster does not serve all of the kinds.

    task: what cannot be done then, such as `Cannot create Routes`. remedy: what to do, a sentence. The failure has the
    `code`, and in its `details` those given and the `kinds`.
    """
    missing = [kind for kind in dict.fromkeys(kinds) if not cluster.serves(kind)]
    if not missing:
        return
    named = ", ".join(f"{kind.kind} of {kind.api_version}" for kind in missing)
    what = f"{task}: kind" if task else "Kind"
    raise Refused(
        f"{what} {named} not found in the cluster. {remedy}",
        code=code,
        kinds=[kind._asdict() for kind in missing],
        **details,
    )
