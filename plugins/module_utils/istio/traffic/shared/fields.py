# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers of the builders: objects, and values in the form of Istio's API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object

Options = Mapping[str, Any]

NETWORKING = "networking.istio.io/v1"
SECURITY = "security.istio.io/v1"
GATEWAY_API = "gateway.networking.k8s.io/v1"
ENVOY_FILTERS = "networking.istio.io/v1alpha3"

_MATCHES = ("exact", "prefix", "regex", "contains", "present")
_PART = re.compile(r"(\d+(\.\d+)?)(ms|s|m|h)")
_DURATION = re.compile(rf"({_PART.pattern})+")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def make(api_version: str, kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Object:
    """Build an object with a spec."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields without null and empty values; keep zero and false."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}


def each(options: Options, name: str, where: str = "") -> Iterator[tuple[str, Options]]:
    """Yield the dictionaries of a list option, each with its path for errors, such as `http[0].to[1]`."""
    for number, item in enumerate(options.get(name) or ()):
        if isinstance(item, Mapping):
            yield f"{where}.{name}[{number}]".lstrip("."), item


def duration(value: Any, where: str) -> str | None:
    """Return a duration in Istio's form; a plain number means seconds."""
    if value is None or value == "":
        return None
    text = str(value)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return f"{text}s"
    if not _DURATION.fullmatch(text):
        raise InvalidInput(
            f"{where} '{text}' is invalid: it must be a duration, such as 5s, 250ms or 1m30s.", option=where
        )
    return text


def seconds(value: Any, where: str) -> float:
    """Return a duration in seconds."""
    text = duration(value, where) or "0s"
    return sum(float(number) * _SECONDS[unit] for number, _fraction, unit in _PART.findall(text))


def percentage(value: Any, where: str) -> dict[str, float] | None:
    """Return a percentage from 0 to 100 in Istio's form."""
    if value is None:
        return None
    share = float(value)
    if not 0 <= share <= 100:
        raise InvalidInput(f"{where} {share:g} is invalid: it must be a percentage from 0 to 100.", option=where)
    return {"value": share}


def string_match(value: Any, where: str) -> dict[str, str] | None:
    """Return a StringMatch for a text, or a dictionary with one of exact, prefix, regex, contains, present."""
    if value is None:
        return None
    if isinstance(value, bool):
        return {"exact": str(value).lower()}
    if not isinstance(value, Mapping):
        return {"exact": str(value)}
    if len(value) != 1 or next(iter(value)) not in _MATCHES:
        raise InvalidInput(
            f"{where} is invalid: it must be a text, or a dictionary with one of {', '.join(_MATCHES)}.", option=where
        )
    way, text = next(iter(value.items()))
    if way == "contains":
        return {"regex": f".*{re.escape(str(text))}.*"}
    if way == "present":
        if text is not True:
            raise InvalidInput(
                f"{where}.present is invalid: it must be true. Use without_headers for absent headers.", option=where
            )
        return {}
    return {way: str(text).lower() if isinstance(text, bool) else str(text)}


def string_matches(values: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """Return a StringMatch for each name, such as a header."""
    return {str(name): string_match(value, f"{where}.{name}") for name, value in (values or {}).items()}


def texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Convert all values, such as those of labels or headers, to texts."""
    return {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (values or {}).items()
    }


def refuse_repeated(names: Iterable[str], what: str) -> None:
    """Raise InvalidInput for a duplicate name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(f"The {what} '{name}' is a duplicate. Keep one of them.", name=name)
        seen.add(name)
