# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolve host names as Istio does: a short name is a Service of the namespace, others are complete."""

from __future__ import annotations

import re
from typing import NamedTuple

_SERVICE = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.[a-z0-9.-]+")


class Host(NamedTuple):
    """A Service (`name` and `namespace`), or any other host, `external`, such as `example.com` or `*.example.com`."""

    name: str = ""
    namespace: str = ""
    external: str = ""

    @classmethod
    def of(cls, text: str, namespace: str) -> Host:
        """Return the host that `text` means in an object of `namespace`, for any cluster domain."""
        if "." not in text and "*" not in text:
            return cls(text, namespace)
        found = _SERVICE.fullmatch(text)
        return cls(*found.groups()) if found else cls(external=text.lower())

    def __str__(self) -> str:
        return self.external or f"{self.name}.{self.namespace}"

    @property
    def full(self) -> str:
        """The fully qualified name, in the default domain cluster.local."""
        return self.external or f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def label(self) -> str:
        """The name in a form that is valid in an object's name."""
        return re.sub(r"[^a-z0-9]+", "-", str(self)).strip("-")

    def covers(self, other: Host) -> bool:
        """Return whether it is the other host, or a wildcard that matches it."""
        return self == other or covers(self.full, other.full)


def covers(pattern: str, host: str) -> bool:
    """Return whether a host's name is `pattern`, or matches it as a wildcard."""
    return pattern == host or (pattern.startswith("*") and host.endswith(pattern[1:]))


def overlap(one: str, other: str) -> bool:
    """Return whether some host matches both, such as `*.example.com` and `shop.example.com`."""
    return covers(pattern=one, host=other) or covers(pattern=other, host=one)
