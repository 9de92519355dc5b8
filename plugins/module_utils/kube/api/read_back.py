# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out the result of a request whose answer was lost, by reading the object."""

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
"""The server's clock and the times in managedFields are in whole seconds."""


def found(request: Callable[[], Any]) -> Any:
    """Return the answer of a request; None if the object, its namespace or its kind is not found."""
    try:
        return request()
    except UnknownKind:
        return None
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def after(cluster: Cluster, error: ApiError | Unreachable, key: Key) -> dict[str, Any] | None:
    """Read the object of a failed write that may have succeeded; raise the error of any other."""
    if not error.uncertain:
        raise error
    try:
        return cluster.get(key.of, key.name, key.namespace)
    except (ApiError, Unreachable):
        raise error from None


def created_by(live: Mapping[str, Any], manager: str, begun: datetime | None) -> bool:
    """Return whether `manager` has created an object since `begun`, by the server's clock if known."""
    created = live["metadata"].get("creationTimestamp")
    if begun and created and datetime.fromisoformat(created) < begun - _ROUNDING:
        return False
    return any(
        entry.get("manager") == manager and entry.get("operation") == "Update" for entry in managed_fields.entries(live)
    )


def deleted(live: Mapping[str, Any], uid: str | None) -> bool:
    """Return whether an object is being deleted, or has another uid than this."""
    metadata = live["metadata"]
    return bool(metadata.get("deletionTimestamp")) or (uid is not None and metadata.get("uid") != uid)
