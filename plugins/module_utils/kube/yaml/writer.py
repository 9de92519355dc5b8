# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write YAML that kubectl, Helm and other Go programs read as the same values, by quoting ambiguous text."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from .scalars import resolved


def write_yaml(documents: Iterable[Any], *, sort_keys: bool = False, explicit_start: bool = True) -> str:
    """Write documents as YAML; texts of several lines as block scalars."""
    import yaml

    text: str = yaml.dump_all(
        documents,
        Dumper=_dumper(),
        sort_keys=sort_keys,
        explicit_start=explicit_start,
        default_flow_style=False,
        allow_unicode=True,
        width=1000,
    )
    return text


@functools.cache
def _dumper() -> type:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):
        """Quotes text that Go would read as a boolean or number; uses no aliases."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
            return True

    def represent(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None if isinstance(resolved(text), str) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return Dumper
