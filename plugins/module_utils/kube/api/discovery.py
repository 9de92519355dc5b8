# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discovery: the kinds that an API server serves, and the API groups that did not answer, of which it knows none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, UnknownKind, Unreachable
from ..objects import builtin_kinds

if TYPE_CHECKING:
    from ..objects.objects import Kind

Request = Callable[..., Any]
"""GET a path; `accept`: the form of the answer, `briefly`: to give up soon."""

Parallel = Callable[[Callable[[str], Any], Sequence[str]], list[Any]]


class Discovery:
    """Asks once, and again only for an API group that did not answer. Safe for use by threads at once."""

    def __init__(self, request: Request, parallel: Parallel) -> None:
        self._request, self._parallel = request, parallel
        self._kinds: dict[Kind, builtin_kinds.Resource] | None = None
        self._silent: set[str] = set()
        self._asking = threading.Lock()

    def find(self, kind: Kind) -> builtin_kinds.Resource | None:
        """How a kind is addressed; None where the API server does not serve it.

        Raises ApiError where its API group does not answer: whether there is such a kind is not known then.
        """
        with self._asking:
            if self._kinds is None or (kind not in self._kinds and kind.api_version in self._silent):
                self._ask()
            found = (self._kinds or {}).get(kind)
            if found is None and kind.api_version in self._silent:
                group, _slash, version = kind.api_version.rpartition("/")
                raise ApiError(
                    f"{kind.kind} of {kind.api_version} cannot be looked up: this API group does not answer. See why by"
                    f" kubectl describe apiservice {version}.{group}, and mend what serves it or delete the APIService.",
                    status=503,
                    reason="ServiceUnavailable",
                    code="discovery_failed",
                    kind=kind._asdict(),
                )
            return found

    def known(self, kind: Kind) -> builtin_kinds.Resource:
        """As `find`; raises UnknownKind where the API server does not serve the kind."""
        found = self.find(kind)
        if found is not None:
            return found
        versions = sorted(one.api_version for one in self._kinds or () if one.kind == kind.kind)
        hint = f"; it serves that kind as {', '.join(versions)}" if versions else ""
        raise UnknownKind(
            f"Kind {kind.kind} of {kind.api_version} not found in the cluster{hint}.",
            kind=kind._asdict(),
            served=versions,
        )

    def served(self) -> dict[Kind, builtin_kinds.Resource]:
        """The kinds that are served, those of groups that do not answer left out."""
        with self._asking:
            if self._kinds is None:
                self._ask()
            return dict(self._kinds or {})

    def served_version(self, kind: Kind) -> Kind | None:
        """A kind at a version that is served, at its own if possible; None where none is. Raises as `find` does."""
        if self.find(kind) is not None:
            return kind
        return next((one for one in self.served() if (one.group, one.kind) == (kind.group, kind.kind)), None)

    def deletable(self) -> list[Kind]:
        """The kinds whose objects can be listed and deleted, each at the version that the API server prefers."""
        served = reversed(self.served().items())
        return list({(kind.group, kind.kind): kind for kind, one in served if one.deletable}.values())

    def _ask(self) -> None:
        kinds: dict[Kind, builtin_kinds.Resource] = {}
        silent: set[str] = set()
        for path in ("/api", "/apis"):
            answer = self._request(path, accept=builtin_kinds.DISCOVERY)
            if answer.get("kind") == "APIGroupDiscoveryList":
                kinds.update(builtin_kinds.of_discovery(answer))
                silent |= builtin_kinds.stale_of(answer)
                continue
            # Kubernetes before 1.27 does not aggregate: a request for each version of each group.
            versions = builtin_kinds.versions_of(answer)
            documents = self._parallel(self._version, [f"{path}/{version}" for version in versions])
            for version, document in zip(versions, documents, strict=True):
                if document is None:
                    silent.add(version)
                else:
                    kinds.update(builtin_kinds.of_discovery(document))
        self._kinds, self._silent = kinds, silent

    def _version(self, path: str) -> Any:
        """The kinds of one version of a group; None where it does not answer."""
        try:
            return self._request(path, accept="application/json", briefly=True)
        except (ApiError, Unreachable) as error:
            if isinstance(error, ApiError) and error.status < 500 and error.status != 404:
                raise
            return None
