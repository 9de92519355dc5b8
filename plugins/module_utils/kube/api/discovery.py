# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discover the kinds that an API server serves, and the API groups that are unavailable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, UnknownKind, Unreachable
from ..objects import builtin_kinds

if TYPE_CHECKING:
    from ..objects.objects import Kind

Request = Callable[..., Any]
"""GET a path; `accept`: the media type, `briefly`: with few retries."""

Parallel = Callable[[Callable[[str], Any], Sequence[str]], list[Any]]


class Discovery:
    """Discovers the kinds once, and again if an API group was unavailable. Thread-safe."""

    def __init__(self, request: Request, parallel: Parallel) -> None:
        self._request, self._parallel = request, parallel
        self._kinds: dict[Kind, builtin_kinds.Resource] | None = None
        self._unavailable: set[str] = set()
        self._guesses: dict[Kind, builtin_kinds.Resource] = {}
        self._lock = threading.Lock()

    def find(self, kind: Kind) -> builtin_kinds.Resource | None:
        """Return the resource of a kind; None if the API server does not serve it.

        Raises ApiError if its API group is unavailable.
        """
        with self._lock:
            if self._kinds is None or (kind not in self._kinds and kind.api_version in self._unavailable):
                self._discover()
            found = (self._kinds or {}).get(kind)
            if found is None and kind.api_version in self._unavailable:
                group, _slash, version = kind.api_version.rpartition("/")
                raise ApiError(
                    f"Cannot look up kind {kind.kind} of {kind.api_version}: the API group is unavailable. Find the cause"
                    f" by `kubectl describe apiservice {version}.{group}`, and repair its server or delete the APIService.",
                    status=503,
                    reason="ServiceUnavailable",
                    code="discovery_failed",
                    kind=kind._asdict(),
                )
            return found

    def known(self, kind: Kind) -> builtin_kinds.Resource:
        """Return the resource of a kind; a guess counts. Raises UnknownKind if there is neither, and as `find` does."""
        found = self.find(kind) or self._guesses.get(kind)
        if found is not None:
            return found
        versions = sorted(one.api_version for one in self._kinds or () if one.kind == kind.kind)
        hint = f", which serves it as {', '.join(versions)}" if versions else ""
        raise UnknownKind(
            f"Kind {kind.kind} of {kind.api_version} not found in the cluster{hint}.",
            kind=kind._asdict(),
            served=versions,
        )

    def guess(self, kind: Kind) -> None:
        """Assume that a kind which is not served yet is namespaced, with the usual plural."""
        names = {"kind": kind.kind, "plural": f"{kind.kind.lower()}s"}
        version = kind.api_version.rpartition("/")[2]
        spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [{"name": version}]}
        self._guesses.update(builtin_kinds.of_definitions([{"spec": spec}]))

    def guessed(self, kind: Kind) -> bool:
        """Return whether the resource of a kind is a guess."""
        return kind in self._guesses

    def forget(self) -> None:
        """Discover again when asked next, because kinds may have been added; forget the guesses."""
        with self._lock:
            self._kinds = None
            self._guesses.clear()

    def served(self) -> dict[Kind, builtin_kinds.Resource]:
        """Return the served kinds, without those of unavailable groups."""
        with self._lock:
            if self._kinds is None:
                self._discover()
            return dict(self._kinds or {})

    def served_version(self, kind: Kind) -> Kind | None:
        """Return a kind at a served version, preferably its own; None if none is served. Raises as `find` does."""
        if self.find(kind) is not None:
            return kind
        return next((one for one in self.served() if (one.group, one.kind) == (kind.group, kind.kind)), None)

    def deletable(self) -> list[Kind]:
        """Return the kinds that can be listed and deleted, each at the preferred version."""
        served = reversed(self.served().items())
        return list({(kind.group, kind.kind): kind for kind, one in served if one.deletable}.values())

    def _discover(self) -> None:
        kinds: dict[Kind, builtin_kinds.Resource] = {}
        unavailable: set[str] = set()
        for path in ("/api", "/apis"):
            answer = self._request(path, accept=builtin_kinds.DISCOVERY)
            if answer.get("kind") == "APIGroupDiscoveryList":
                kinds.update(builtin_kinds.of_discovery(answer))
                unavailable |= builtin_kinds.stale_of(answer)
                continue
            # Kubernetes before 1.27 has no aggregated discovery: one request for each version of each group.
            versions = builtin_kinds.versions_of(answer)
            documents = self._parallel(self._version, [f"{path}/{version}" for version in versions])
            for version, document in zip(versions, documents, strict=True):
                if document is None:
                    unavailable.add(version)
                else:
                    kinds.update(builtin_kinds.of_discovery(document))
        self._kinds, self._unavailable = kinds, unavailable

    def _version(self, path: str) -> Any:
        """Return the kinds of one version of a group; None if it is unavailable."""
        try:
            return self._request(path, accept="application/json", briefly=True)
        except (ApiError, Unreachable) as error:
            if isinstance(error, ApiError) and error.status < 500 and error.status != 404:
                raise
            return None
