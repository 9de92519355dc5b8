# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Divide the namespaces of an upgrade into waves."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Object
from ..model.labels import labels_of

_SIZE = re.compile(r"(\d+)(%?)")


def waves(
    namespaces: Mapping[str, Object], order: Sequence[Any] = (), *, size: str = "1", label: str = ""
) -> list[list[str]]:
    """Return the waves: those of `order` first, then the other namespaces in waves of `size` (a number, or percent).

    order: each item is the name of a namespace, or a list of names. label: with a label's name, the namespaces with the
    same value of it are a wave, in the order of the values; those without it come last. Raises InvalidInput for a name
    that is not among the namespaces, or twice in the order.
    """
    first = [[str(name) for name in (one if isinstance(one, list) else [one])] for one in order]
    named = [name for wave in first for name in wave]
    refuse_unknown(named, namespaces)
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InvalidInput(f"The waves are invalid: namespace {twice[0]} is in two of them. List it once.", waves=named)
    rest = [name for name in sorted(namespaces) if name not in named]
    if not label:
        return [*first, *_sized(rest, size)]
    values = {name: labels_of(namespaces[name]).get(label, "") for name in rest}
    groups = [*sorted({value for value in values.values() if value}), ""]
    by_value = ([name for name in rest if values[name] == value] for value in groups)
    return [*first, *filter(None, by_value)]


def refuse_unknown(names: Collection[str], namespaces: Collection[str]) -> None:
    """Raise InvalidInput for names of namespaces that the upgrade does not move."""
    unknown = sorted(set(names) - set(namespaces))
    if unknown:
        raise InvalidInput(
            f"Cannot upgrade namespace {unknown[0]}: the old control plane does not inject it. Choose among"
            f" {', '.join(sorted(namespaces)) or 'no namespaces'}.",
            code="not_in_mesh",
            namespaces=unknown,
        )


def _sized(names: Sequence[str], size: str) -> list[list[str]]:
    found = _SIZE.fullmatch(size.strip())
    number = int(found[1]) if found else 0
    if not found or number < 1:
        raise InvalidInput(
            f"wave_size '{size}' is invalid: it must be a number of namespaces of 1 or more, or a percentage such as 25%.",
            wave_size=size,
        )
    if found[2]:
        number = max(1, math.floor(len(names) * number / 100))
    return [list(names[begin : begin + number]) for begin in range(0, len(names), number)]
