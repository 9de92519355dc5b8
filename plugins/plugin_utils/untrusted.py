# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle untrusted text of kubeconfigs, clusters and clouds: mark it as data, and make names of it."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from ansible import release

_DATA_BY_DEFAULT = (2, 19)
"""Since this ansible-core, text is a template only if it is marked as trusted."""

_SPECIAL = frozenset("{}%#\\'\"`$,!&~*?[]<>()|;")
"""Characters with a meaning in templates, host patterns and shells."""

_NOT_IDENTIFIER = re.compile(r"\W", re.ASCII)


def as_data(value: Any) -> Any:
    """Mark a value and all its items, so that Ansible never evaluates them as templates."""
    if tuple(map(int, release.__version__.split(".")[:2])) >= _DATA_BY_DEFAULT:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)


def plain_name(name: str) -> str:
    """Replace characters with a meaning in templates, host patterns, shells and terminals."""
    return "".join("_" if char in _SPECIAL or char.isspace() or not char.isprintable() else char for char in name)


def host_name(name: str, taken: Container[str] = ()) -> str:
    """Make an inventory host name of any text, different from those in `taken`."""
    base = plain_name(name)
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}_{number}"
    return candidate


def group_name(name: str) -> str:
    """Make a group name, which is an identifier, of any text."""
    return _NOT_IDENTIFIER.sub("_", name)
