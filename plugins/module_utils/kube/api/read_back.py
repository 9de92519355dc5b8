# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request has found or done: by its answer, or by the object as it is where the answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, UnknownKind, Unreachable
from ..objects import managed_fields

if TYPE_CHECKING:
    from ..objects.objects import Key
    from .cluster import Cluster

_ROUNDING = timedelta(seconds=2)
"""Both the server's clock in its answers and the times of managedFields are as precise as a second."""


def found(request: Callable[[], Any]) -> Any:
    """What a request answers; None where the object, its namespace or its kind does not exist."""
    try:
        return request()
    except UnknownKind:
        return None
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def after(cluster: Cluster, error: ApiError | Unreachable, key: Key) -> dict[str, Any] | None:
    """The object of a write that may have been carried out although it has failed; else the failure is raised."""
    if not error.uncertain:
        raise error
    try:
        return cluster.get(key.of, key.name, key.namespace)
    except (ApiError, Unreachable):
        raise error from None


def created_by(live: Mapping[str, Any], manager: str, begun: datetime | None) -> bool:
    """Whether `manager` has created an object since `begun`, by the server's clock where that is known."""
    created = live["metadata"].get("creationTimestamp")
    if begun and created and datetime.fromisoformat(created) < begun - _ROUNDING:
        return False
    return any(
        entry.get("manager") == manager and entry.get("operation") == "Update" for entry in managed_fields.entries(live)
    )


def deleted(live: Mapping[str, Any], uid: str | None) -> bool:
    """Whether an object is being deleted, or is a successor of the one with this uid."""
    metadata = live["metadata"]
    return bool(metadata.get("deletionTimestamp")) or (uid is not None and metadata.get("uid") != uid)
