# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look up releases in the release data, and lay a user's newer data over it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from ...kube.errors import InvalidInput
from ...kube.objects import shapes
from ...kube.objects.shapes import BOOLEAN, TEXT, List, Map, Shape
from ...kube.yaml.reader import check_limits, read_yaml
from ...kube.yaml.text_encoding import read_text
from .release_data import REGISTRIES, RELEASES, Row
from .security_bulletins import BULLETINS
from .versions import minor_of, version_key

_MINOR = re.compile(r"1\.\d+")
_VERSION = re.compile(r"1\.\d+\.\d+")
_RANGE = re.compile(r"1\.(\d+)-1\.(\d+)")
_GATEWAY_API = re.compile(r"v\d+\.\d+\.\d+")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

_SOURCE = dict.fromkeys(("source", "looked_up"), TEXT)
_RELEASE: dict[str, Shape] = {
    **dict.fromkeys(("kubernetes", "released", "end_of_life", "newest", "gateway_api"), TEXT),
    **dict.fromkeys(("hub", "samples_hub", "envoy"), TEXT),
    "estimated": BOOLEAN,
    "gateway_api_kinds": Map(each=Map({"from": TEXT, "below": TEXT})),
    "new_kinds": List(TEXT),
    "removed_kinds": List(TEXT),
    **_SOURCE,
}
_BULLETIN: dict[str, Shape] = {
    "published": TEXT,
    "affected": List(Map(dict.fromkeys(("from", "fixed", "before"), TEXT))),
    **_SOURCE,
}
_REGISTRY: dict[str, Shape] = {"retired": TEXT, "replacement": TEXT, **_SOURCE}
_DOCUMENT = Map(
    {
        "releases": Map(each=Map(_RELEASE)),
        "bulletins": Map(each=Map(_BULLETIN, required=("published", "affected"))),
        "registries": Map(each=Map(_REGISTRY, required=("retired", "replacement"))),
    }
)
_NAMES = {
    "releases": (_MINOR, "a minor version since 1.8 in quotes, such as '1.33'", _RELEASE),
    "bulletins": (re.compile(r"ISTIO-SECURITY-\d{4}-\d{3}"), "a number such as ISTIO-SECURITY-2026-007", _BULLETIN),
    "registries": (re.compile(r"\S+[^/\s]"), "a registry without a slash at the end", _REGISTRY),
}


class Advisory(NamedTuple):
    """A security bulletin that applies to a release; `fixed`: the first patch with the fix, empty if there is none."""

    number: str
    fixed: str

    @property
    def url(self) -> str:
        """The page of the bulletin."""
        return f"https://istio.io/latest/news/security/{self.number.lower()}/"


@dataclass(frozen=True)
class ReleaseData:
    """Data about releases; see `release_data` and `security_bulletins` for the rows."""

    releases: Mapping[str, Row]
    bulletins: Mapping[str, Row]
    registries: Mapping[str, Row]

    @property
    def oldest_minor(self) -> str:
        """The oldest minor version with a row."""
        return min(self.releases, key=version_key)

    @property
    def newest_minor(self) -> str:
        """The newest minor version with a row."""
        return max(self.releases, key=version_key)

    def is_older(self, version: str) -> bool:
        """Return whether a release is older than all rows."""
        return bool(minor_of(version)) and minor_of(version) < minor_of(self.oldest_minor)

    def is_newer(self, version: str) -> bool:
        """Return whether a release is newer than all rows."""
        return minor_of(version) > minor_of(self.newest_minor)

    @property
    def hubs(self) -> set[str]:
        """The registries that Istio's images are published in."""
        rows = self.releases.values()
        return {str(hub) for row in rows for hub in (row["hub"], row["samples_hub"]) if hub} | set(self.registries)

    def row(self, version: str) -> Row | None:
        """Return the row of a release: that of the newest for a newer one, None for an older one."""
        if self.is_newer(version):
            return self.releases[self.newest_minor]
        return self.releases.get(".".join(map(str, minor_of(version))))

    def kubernetes(self, version: str) -> tuple[int, int] | None:
        """Return the oldest and newest Kubernetes 1.x that a release supports; None if unknown."""
        row = self.row(version)
        found = _RANGE.fullmatch(row["kubernetes"]) if row else None
        return (int(found[1]), int(found[2])) if found else None

    def end_of_life(self, version: str) -> date | None:
        """Return the last day of support; None if unknown, as for a newer release than the data has."""
        row = None if self.is_newer(version) else self.row(version)
        return date.fromisoformat(row["end_of_life"]) if row and row.get("end_of_life") else None

    def supported(self, today: date) -> list[str]:
        """Return the newest patch of each minor version that is supported, the oldest first."""
        rows = [row for _minor, row in sorted(self.releases.items(), key=lambda item: version_key(item[0]))]
        return [
            row["newest"]
            for row in rows
            if row.get("newest") and row.get("end_of_life") and date.fromisoformat(row["end_of_life"]) >= today
        ]

    def advisories(self, version: str, day: date) -> list[Advisory]:
        """Return the security bulletins that apply to a release and are published, by their numbers."""
        published = {number: one for number, one in sorted(self.bulletins.items()) if one["published"] <= str(day)}
        found = {number: _affects(one["affected"], version) for number, one in published.items()}
        return [Advisory(number, fixed) for number, fixed in found.items() if fixed is not None]

    def gateway_api(self, version: str) -> str | None:
        """Return the version of the Gateway API that a release is built with.

        Of a release without one, it is that of the newest older release that has one.
        """
        rows = [
            row
            for minor, row in sorted(self.releases.items(), key=lambda item: version_key(item[0]))
            if minor_of(minor) <= minor_of(version) and row.get("gateway_api")
        ]
        return str(rows[-1]["gateway_api"]) if rows else None

    def ignored_kinds(self, version: str, gateway_api: str) -> dict[str, str]:
        """Return the kinds of a Gateway API that istiod of a release ignores, with the versions that it reads."""
        row = (None if not gateway_api else self.row(version)) or {}
        key, found = version_key(gateway_api), {}
        for kind, limits in sorted((row.get("gateway_api_kinds") or {}).items()):
            first, end = limits.get("from"), limits.get("below")
            if first and key < version_key(first):
                found[kind] = f"{first} or newer"
            elif end and key >= version_key(end):
                found[kind] = f"older than {end}"
        return found

    def retirement(self, image: str) -> tuple[str, Row] | None:
        """Return the retired registry that an image is in, and its row."""
        return next(((hub, row) for hub, row in self.registries.items() if image.startswith(f"{hub}/")), None)

    def with_newer(self, document: Any, source: str) -> ReleaseData:
        """Lay data over this: rows are merged key by key, and null counts as absent. Raises InvalidInput."""
        document = _without_nulls(document)
        _check(document, source)
        releases = dict(self.releases)
        for minor, row in sorted((document.get("releases") or {}).items(), key=lambda item: version_key(item[0])):
            known = releases.get(minor) or _successor(releases[_before(releases, minor)])
            releases[minor] = {**known, **(row or {})}
        return ReleaseData(
            releases,
            _merged(self.bulletins, document.get("bulletins")),
            _merged(self.registries, document.get("registries")),
        )


KNOWN = ReleaseData(RELEASES, BULLETINS, REGISTRIES)
"""The data of the collection."""


def read_release_data(entries: Iterable[Any]) -> ReleaseData:
    """Return the collection's data with that of the entries laid over it, in their order.

    An entry is the data, the path of a file, or, for a file that was read on the controller, a map of `source` and
    `text`. Raises InvalidInput.
    """
    data = KNOWN
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Mapping) and set(entry) != {"source", "text"}:
            check_limits(entry, f"entry {number} of release_data")
            data = data.with_newer(entry, f"Entry {number} of release_data")
            continue
        source = entry["source"] if isinstance(entry, Mapping) else str(entry)
        text = entry["text"] if isinstance(entry, Mapping) else read_text(source, "release data")
        documents = read_yaml(text, source)
        if len(documents) != 1:
            raise InvalidInput(
                f"{source} is not valid release data: it has {len(documents)} YAML documents. Write exactly one.",
                file=source,
            )
        data = data.with_newer(documents[0], source)
    return data


def _affects(ranges: Iterable[Mapping[str, str]], version: str) -> str | None:
    """Return the release with the fix, empty if there is none; None if the version is not affected."""
    key, minor = version_key(version), minor_of(version)
    for one in ranges:
        if "before" in one:
            if minor < minor_of(one["before"]):
                return ""
        elif minor == minor_of(one["from"]) and version_key(one["from"]) <= key:
            fixed = one.get("fixed") or ""
            if not fixed or key < version_key(fixed):
                return fixed
    return None


def _before(releases: Iterable[str], minor: str) -> str:
    """Return the newest of the releases that is older than a minor version."""
    return max((one for one in releases if minor_of(one) < minor_of(minor)), key=version_key)


def _successor(row: Row) -> Row:
    """Return what holds for the next minor version too, until it is known better."""
    return {**row, "released": None, "end_of_life": None, "newest": None, "estimated": True, "new_kinds": None}


def _merged(known: Mapping[str, Row], newer: Mapping[str, Row] | None) -> dict[str, Row]:
    return {**known, **{name: {**known.get(name, {}), **(row or {})} for name, row in (newer or {}).items()}}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _check(document: Any, source: str) -> None:
    """Raise InvalidInput for data of another form."""
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{source} is not valid release data: it must be a map of keys and values.", file=source)
    shapes.refuse(shapes.problems(document, _DOCUMENT), source)
    for message in _problems(document):
        raise InvalidInput(f"{source} is not valid release data: {message}.", file=source)


def _problems(document: Mapping[str, Any]) -> Iterator[str]:
    for part in document.keys() - _DOCUMENT.fields.keys():
        yield f"unknown key '{part}', which must be one of {', '.join(_DOCUMENT.fields)}"
    for part, (pattern, form, keys) in _NAMES.items():
        for name, row in (document.get(part) or {}).items():
            if not pattern.fullmatch(str(name)) or (part == "releases" and minor_of(str(name)) < (1, 8)):
                yield f"'{name}' of {part} must be {form}"
            for key in (row or {}).keys() - keys:
                yield f"unknown key '{key}' in {part}.{name}, which must be one of {', '.join(keys)}"
            for key, value, wanted in _wrong(row or {}):
                yield f"{part}.{name}.{key} is '{value}', but must be {wanted}"


_FORMS = {
    "kubernetes": (_RANGE, "a range such as 1.32-1.37"),
    "newest": (_VERSION, "a version such as 1.31.4"),
    "from": (_VERSION, "a version such as 1.31.0"),
    "fixed": (_VERSION, "a version such as 1.31.4"),
    "before": (_VERSION, "a version such as 1.31.0"),
    "gateway_api": (_GATEWAY_API, "a version such as v1.6.0"),
    "retired": (_MONTH, "a month such as 2026-12"),
}


def _wrong(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the key, the value and the wanted form of texts of another form."""
    for key, value in row.items():
        if key in ("released", "end_of_life", "published", "looked_up") and value is not None and not _is_day(value):
            yield key, value, "a day such as 2026-12-31"
        elif key in _FORMS and value is not None and not _FORMS[key][0].fullmatch(value):
            yield key, value, _FORMS[key][1]
        elif key == "affected":
            for one in value or ():
                yield from _wrong(one)
                if not {"from", "before"} & one.keys():
                    yield key, str(one), "ranges with from and fixed, or before"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
