# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of kubeconfigs, clusters and clouds: data that Ansible must not evaluate, and names made of it."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from ansible import release

_DATA_BY_DEFAULT = (2, 19)
"""Since this ansible-core a text is a template only where something trusted says so."""

_MEANING_SOMETHING = frozenset("{}%#\\'\"`$,!&~*?[]<>()|;")
"""Characters of templates, host patterns and shells."""

_NOT_OF_IDENTIFIERS = re.compile(r"\W", re.ASCII)


def as_data(value: Any) -> Any:
    """Mark a value, with all that is in it, so that Ansible never evaluates it as a template."""
    if tuple(map(int, release.__version__.split(".")[:2])) >= _DATA_BY_DEFAULT:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)


def plain_name(name: str) -> str:
    """Replace what means something to templates, host patterns, shells and terminals."""
    return "".join(
        "_" if char in _MEANING_SOMETHING or char.isspace() or not char.isprintable() else char for char in name
    )


def host_name(name: str, taken: Container[str] = ()) -> str:
    """Make an inventory's host name of any text, another than those `taken`."""
    base = plain_name(name)
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def group_name(name: str) -> str:
    """Make a group's name, which is an identifier, of any text."""
    return _NOT_OF_IDENTIFIERS.sub("_", name)
