# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find variables that no role declares, and the declared variables that their names probably mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

RENAMED: Mapping[str, str] = {"mesh_hosts": "mesh_target_hosts"}
"""Variables of earlier releases, and their names now."""

_FILLERS = frozenset({"istio", "kube", "k8s", "mesh"})
"""Words that do not distinguish variables of a mesh."""

_OWN = frozenset({"mesh_name"})
"""Names that users are likely to have for values of their own, such as the name of a cluster."""

_CLOSE = 0.85
"""The ratio of equal characters from which a name is probably a misspelling."""


def names_in(role: Path, prefix: str) -> set[str]:
    """Return the names with a prefix that the tasks, variables and handlers of a role use."""
    names: set[str] = set()
    word = re.compile(rf"\b{re.escape(prefix)}\w+")
    for folder in ("tasks", "vars", "handlers"):
        for path in (role / folder).rglob("*.yml"):
            names.update(word.findall(path.read_text(encoding="utf-8")))
    return names


def meant(name: str, prefix: str, declared: Iterable[str]) -> str:
    """Return the declared variable that a name probably means; empty if there is none.

    That is one with a similar spelling (`mesh_profle`), with the same words apart from such as `istio`
    (`mesh_istio_version`), or whose words the name abbreviates (`mesh_inject_ns`).
    """
    if name in RENAMED:
        return RENAMED[name]
    if name in _OWN:
        return ""
    rests = {one.removeprefix(prefix): one for one in declared}
    rest = name.removeprefix(prefix)
    found = [
        *difflib.get_close_matches(rest, rests, n=1, cutoff=_CLOSE),
        *(one for one in rests if _words(one) == _words(rest)),
        *(one for one in rests if _abbreviates(_words(rest), _words(one))),
    ]
    return rests[found[0]] if found else ""


def _words(name: str) -> list[str]:
    words = [word for word in name.lower().split("_") if word]
    return [word for word in words if word not in _FILLERS] or words


def _abbreviates(short: list[str], words: list[str]) -> bool:
    return len(short) == len(words) and all(_is_short_for(one, word) for one, word in zip(short, words, strict=True))


def _is_short_for(short: str, word: str) -> bool:
    """Return whether a text is the beginning of a word (`rev`, `apps`), or its first letter and consonants (`ns`)."""
    if len(short) < 2 or short[0] != word[0]:
        return False
    letters: Iterator[str] = iter(word)
    consonants = not set(short[1:]) & set("aeiou") and all(letter in letters for letter in short)
    return consonants or word.startswith((short, short.removesuffix("s")))
