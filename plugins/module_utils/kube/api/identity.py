# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cluster a connection leads to, and the refusal of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ApiError, Refused
from ..objects.kinds import NAMESPACE

if TYPE_CHECKING:
    from .cluster import Cluster

_SYSTEM = "kube-system"


class Identity(NamedTuple):
    """One cluster: the uid of its Namespace kube-system, its API server's URL, and what the connection says of it.

    uid: empty where the user may neither get nor list Namespaces, or where there is none. certificate_authority: the SHA-256 of
    the certificates that the server's is checked with, empty for those of the system. context: of the kubeconfig.
    """

    uid: str
    server: str
    certificate_authority: str
    context: str

    @classmethod
    def of(cls, cluster: Cluster) -> Identity:
        """The cluster that answers; one request, or two without permission for the first."""
        return cls(_uid(cluster), cluster.server, cluster.certificate_authority, cluster.context or "")

    def __str__(self) -> str:
        context = f"context {self.context}" if self.context else "no context"
        return f"{self.server} ({context}, uid {self.uid or 'not known'})"


def refuse_other(cluster: Cluster, expected: Mapping[str, Any]) -> None:
    """Raise Refused where another cluster answers than the `expected` one, by those fields of Identity that it has."""
    wanted = Identity(**{name: expected.get(name) or "" for name in Identity._fields})
    found = Identity.of(cluster)
    if _same(wanted, found):
        return
    if wanted.uid and not found.uid:
        why = f"the uid of Namespace {_SYSTEM} cannot be read now, though it has to be {wanted.uid}"
        todo = "Give the user the permission to get it, and run this again."
    else:
        why = f"{wanted} was expected" if wanted.server else f"the one with the uid {wanted.uid} was expected"
        todo = "Name the right kubeconfig and context, and run this again."
    raise Refused(
        f"Another cluster answers at {found}: {why}. {todo}",
        code="other_cluster",
        expected=wanted._asdict(),
        found=found._asdict(),
    )


def _same(wanted: Identity, found: Identity) -> bool:
    if wanted.uid and wanted.uid != found.uid:
        return False
    if wanted.server and wanted.server != found.server:
        return False
    # Authorities are rotated, which a uid outlives.
    return bool(wanted.uid) or wanted.certificate_authority == found.certificate_authority or not wanted.server


def _uid(cluster: Cluster) -> str:
    # Some may only get Namespaces, others only list them.
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
