# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identify the cluster of a connection, and refuse another one than expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ApiError, Refused
from ..objects.kinds import NAMESPACE

if TYPE_CHECKING:
    from .cluster import Cluster

_SYSTEM = "kube-system"


class Identity(NamedTuple):
    """One cluster: the uid of its Namespace kube-system, its API server's URL, CA and context.

    uid: empty if the user may neither get nor list Namespaces. certificate_authority: the SHA-256 of the CA certificates
    that verify the server, empty for the system's. context: that of the kubeconfig.
    """

    uid: str
    server: str
    certificate_authority: str
    context: str

    @classmethod
    def of(cls, cluster: Cluster) -> Identity:
        """Read the identity of a cluster; one request, or two without permission for the first."""
        return cls(_uid(cluster), cluster.server, cluster.certificate_authority, cluster.context or "")

    def __str__(self) -> str:
        context = f"context {self.context}" if self.context else "no context"
        return f"{self.server} ({context}, uid {self.uid or 'not known'})"


def refuse_other(cluster: Cluster, expected: Mapping[str, Any]) -> None:
    """Raise Refused for another cluster than the `expected` one, by the fields of Identity that are set in it."""
    wanted = Identity(**{name: expected.get(name) or "" for name in Identity._fields})
    found = Identity.of(cluster)
    if _same(wanted, found):
        return
    if wanted.uid and not found.uid:
        why = f"the uid of Namespace {_SYSTEM} cannot be read, and {wanted.uid} was expected"
        todo = "Grant the user the permission to get it, and run this again."
    else:
        why = f"{wanted} was expected" if wanted.server else f"the uid {wanted.uid} was expected"
        todo = "Set the right kubeconfig and context, and run this again."
    raise Refused(
        f"Cannot use cluster {found}: it is not the expected one: {why}. {todo}",
        code="other_cluster",
        expected=wanted._asdict(),
        found=found._asdict(),
    )


def _same(wanted: Identity, found: Identity) -> bool:
    if wanted.uid and wanted.uid != found.uid:
        return False
    if wanted.server and wanted.server != found.server:
        return False
    # A CA may be rotated; the uid never changes.
    return bool(wanted.uid) or wanted.certificate_authority == found.certificate_authority or not wanted.server


def _uid(cluster: Cluster) -> str:
    # Some users may only get Namespaces, others only list them.
    reads: tuple[Callable[[], Iterable[dict[str, Any] | None]], ...] = (
        lambda: [cluster.get(NAMESPACE, _SYSTEM)],
        lambda: cluster.list(NAMESPACE, field_selector=f"metadata.name={_SYSTEM}"),
    )
    for read in reads:
        try:
            return next((str(one["metadata"].get("uid") or "") for one in _named(read())), "")
        except ApiError as error:
            if error.status != 403:
                raise
    return ""


def _named(found: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [one for one in found if one and one["metadata"]["name"] == _SYSTEM]
