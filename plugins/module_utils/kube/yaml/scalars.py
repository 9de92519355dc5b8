# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolve plain YAML scalars as kubectl, Helm and istioctl do (Go's sigs.k8s.io/yaml)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TypeAlias

Scalar: TypeAlias = "str | int | float | bool | None"

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC = frozenset("+-.0123456789")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]*)|([1-9][0-9]*))")
_BASES = (16, 8, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_WRITTEN_AS_INTEGER = 1e21
"""Below this limit, Go writes a number without a fraction as an integer to JSON."""


def resolved(text: str) -> Scalar:
    """Return the value of a plain scalar: null, boolean, number (also NaN or infinity) or text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    plain = text if text[0] == "." else text.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return integer
    if not _FLOAT.fullmatch(plain):
        return text
    value = float(plain)
    return text if math.isinf(value) else as_json_number(value)


def _integer(text: str) -> int | float | None:
    """Parse an integer as Go does: 0x, 0o, 0b and a leading 0 set the base, and the limit is 64 bits."""
    found = _INTEGER.fullmatch(text)
    if not found or len(text) > 80:
        return None
    sign, *digits = found.groups()
    value = next(int(part or "0", base) for part, base in zip(digits, _BASES, strict=True) if part is not None)
    if sign:
        value = -value if sign == "-" else value
        return value if -(2**63) <= value < 2**63 else None
    if value >= 2**63:  # a float with less precision in JSON
        return as_json_number(float(value)) if value < 2**64 else None
    return value


def as_json_number(value: float) -> int | float:
    """Return a number as Go writes it to JSON: an integer if it has no fraction."""
    if math.isfinite(value) and value.is_integer() and abs(value) < _WRITTEN_AS_INTEGER:
        return int(Decimal(repr(value)))
    return value


def key_text(key: Scalar) -> str | None:
    """Return a key as text, as JSON requires; None for null."""
    if key is None:
        return None
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float) and not math.isfinite(key):
        return ".nan" if math.isnan(key) else ".inf" if key > 0 else "-.inf"
    return str(key)
