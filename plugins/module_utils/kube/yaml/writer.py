# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML that kubectl, Helm and programs in Go read as what was written: text that they would take for more is quoted."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from .scalars import resolved


def write_yaml(documents: Iterable[Any], *, sort_keys: bool = False, explicit_start: bool = True) -> str:
    """The documents, one after the other; texts of many lines stand line by line."""
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
        """Quotes what Go reads as a boolean or number, and writes repeated values out."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
            return True

    def represent(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None if isinstance(resolved(text), str) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return Dumper
