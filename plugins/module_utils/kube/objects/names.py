# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate names and values as Kubernetes' API does, before the first write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import InvalidInput

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
_LONGEST = 253

NAMESPACE_RULE = (
    "it must consist of at most 63 lower case letters, digits and '-', and start and end with a letter or digit"
)


def is_label(text: str) -> bool:
    """Return whether this is a DNS label (RFC 1123), such as the name of a Namespace."""
    return _LABEL.fullmatch(text) is not None


def is_service_name(text: str) -> bool:
    """Return whether this is a DNS label that starts with a letter (RFC 1035), such as the name of a Service."""
    return _SERVICE.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Return whether this is a DNS subdomain, such as the names of most objects."""
    return len(text) <= _LONGEST and _SUBDOMAIN.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Return whether this is a host name, in upper or lower case."""
    return is_subdomain(text.lower()) and all(is_label(part) for part in text.lower().split("."))


def is_host_pattern(text: str) -> bool:
    """Return whether this is a host name, `*`, or `*.` and a domain, as in Istio."""
    return text == "*" or is_host(text.removeprefix("*."))


def is_label_value(text: str) -> bool:
    """Return whether this is a valid value of a label."""
    return not text or _QUALIFIED.fullmatch(text) is not None


def is_qualified_name(text: str) -> bool:
    """Return whether this is a valid key of a label or an annotation, with or without a prefix."""
    prefix, slash, name = text.rpartition("/")
    return _QUALIFIED.fullmatch(name) is not None and (not slash or is_subdomain(prefix))


def is_quantity(text: str) -> bool:
    """Return whether this is a quantity, such as 10Gi, 500m or 2."""
    return _QUANTITY.fullmatch(text) is not None


def refuse_invalid_namespaces(names: Iterable[str]) -> None:
    """Raise InvalidInput for invalid names of Namespaces."""
    wrong = [name for name in names if not is_label(name)]
    if wrong:
        others = f" (as are {', '.join(map(repr, wrong[1:]))})" if len(wrong) > 1 else ""
        raise InvalidInput(
            f"The Namespace name {wrong[0]!r} is invalid{others}: {NAMESPACE_RULE}.",
            code="invalid_name",
            names=wrong,
        )
