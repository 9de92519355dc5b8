# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse kinds that the cluster does not serve: the one check, and the one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import Refused

if TYPE_CHECKING:
    from ..objects.objects import Kind
    from .cluster import Cluster


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
