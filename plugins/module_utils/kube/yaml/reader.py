# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read YAML and JSON as kubectl does, within limits for memory and stack.

Values are built from the parser's events, without a tree of nodes and without recursion, so that limits are checked while
reading. Unlike in kubectl, a duplicate key is an error.
"""

from __future__ import annotations

import base64
import functools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

try:
    import yaml
except ImportError:  # reported by module.py before anything here is called
    yaml = None  # type: ignore[assignment]

from ..errors import InvalidInput
from .scalars import as_json_number, key_text, resolved
from .text_encoding import check_length, normalised

DEPTH_LIMIT = 200
"""The maximum nesting of maps and lists; published CustomResourceDefinitions need a quarter of it."""

SIZE_LIMIT = 1_000_000
"""The maximum of values in a text, including those repeated by aliases."""

# As in kubectl's parser: the share of values from aliases is limited for large documents.
_ALIASES_FREE, _VALUES_FREE = 100, 1000
_SMALL, _LARGE = 400_000, 4_000_000

_DOCUMENT_MARK = re.compile(r"(?:\s|^---(?=\s|\Z))*", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_RESOLVED = frozenset(_TAG + name for name in ("int", "float", "bool", "null"))
_AS_TEXT = frozenset(_TAG + name for name in ("str", "timestamp", "value"))
_COLLECTIONS = frozenset(_TAG + name for name in ("map", "seq", "set", "omap", "pairs"))


def read_yaml(text: str, source: str) -> list[Any]:
    """Return the documents of a text in YAML or JSON, without empty ones.

    `source`: the name of the text in errors (a file, a URL). Raises InvalidInput with source and line for invalid YAML,
    duplicate keys, values that JSON does not support, and exceeded limits.
    """
    check_length(text, source)
    text = normalised(text)
    documents = _read_json(text, source) if text.lstrip()[:1] in ("{", "[") else None
    if documents is not None:
        return documents
    try:
        return [document for document in _Builder(source).documents(text) if document is not None]
    except UnicodeEncodeError as error:  # half of a surrogate pair
        line = text.count("\n", 0, error.start) + 1
        raise _refusal(source, line, "a character is not valid Unicode") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _refusal(source, line, error.problem or "this is not valid YAML") from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        raise _refusal(source, line, f"the control character U+{code:04X} is not allowed in YAML") from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{source} is not valid YAML: {' '.join(str(error).split())}.", file=source) from error


def check_limits(value: Any, source: str) -> None:
    """Raise InvalidInput for data that is nested too deeply or has too many values."""
    level, depth, count = [value], 0, 1
    while level := [one for one in level if isinstance(one, (Mapping, list, tuple))]:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise InvalidInput(f"{source}: {_TOO_DEEP}.", file=source)
        level = [child for one in level for child in (one.values() if isinstance(one, Mapping) else one)]
        count += len(level)
        if count > SIZE_LIMIT:
            raise InvalidInput(f"{source}: {_TOO_MANY}.", file=source)


def to_json(value: Any) -> str:
    """Return JSON in one line that YAML parsers of kubectl, istioctl and the API server read as the same."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: _escaped(found[0]), text)


# Characters that are invalid or line breaks in YAML, and surrogates; YAML has no JSON escapes beyond 16 bits.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def _escaped(character: str) -> str:
    return "\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04x}"


_TOO_DEEP = f"maps and lists are nested more than {DEPTH_LIMIT} levels deep, the maximum"
_TOO_MANY = f"there are more than {SIZE_LIMIT} values, the maximum. Split the file"
_ALIASING = "the document contains excessive aliasing. Replace the aliases (*) by what they repeat"


def _refusal(source: str, line: int, problem: str) -> InvalidInput:
    return InvalidInput(f"{source}, line {line}: {problem}.", file=source, line=line)


# --- JSON --------------------------------------------------------------------------------------------------------


def _read_json(text: str, source: str) -> list[Any] | None:
    """Return the values of a JSON text; None if it is not JSON, and may be YAML in braces."""
    found: list[Any] = []
    end = _after_space(text, 0)
    while end < len(text):
        line = text.count("\n", 0, end) + 1
        try:
            value, end = _json_decoder().raw_decode(text, end)
        except RecursionError as error:
            raise _refusal(source, line, _TOO_DEEP) from error
        except _NotAllowed as error:
            raise _refusal(source, line, str(error)) from error
        except ValueError as error:
            if found and text[end] in "{[" and isinstance(error, json.JSONDecodeError):
                raise _refusal(source, error.lineno, error.msg) from error
            return None
        check_limits(value, f"{source}, line {line}")
        found.append(value)
        end = _after_space(text, end)
    if "\\ud" in text or "\\uD" in text:
        # Go reads half of a surrogate pair as the replacement character.
        found = [json.loads(to_json(value)) for value in found]
    return [value for value in found if value is not None]


class _NotAllowed(ValueError):
    """Well-formed JSON that is not allowed."""


def _after_space(text: str, position: int) -> int:
    found = _DOCUMENT_MARK.match(text, position)
    return found.end() if found else position


@functools.cache
def _json_decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_float=_json_float, parse_int=_json_int, parse_constant=_no_json, object_pairs_hook=_json_object
    )


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _NotAllowed(f"the key '{repeated}' is a duplicate in the JSON that starts here. Keep one of them")
    return mapping


def _json_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _NotAllowed(f"the number {digits} is too large")
    return as_json_number(value)


def _json_int(digits: str) -> float:
    if len(digits) < 19 or -(2**63) <= int(digits[:400]) < 2**63:
        return int(digits)
    return _json_float(digits)


def _no_json(word: str) -> NoReturn:
    raise ValueError(word)  # it may be text in YAML


# --- YAML --------------------------------------------------------------------------------------------------------


@dataclass
class _Open:
    """A map or list that is being read. `before`: the number of values before it; `height`: its nesting."""

    value: Any
    anchor: str | None
    before: int
    height: int = 1
    merged: list[Any] = field(default_factory=list)
    key: str | None = None
    merging: bool = False


@dataclass(frozen=True)
class _Anchored:
    """The value of an anchor, its number of values, and its nesting."""

    value: Any
    size: int
    height: int


class _Builder:
    """Builds values from the events of a parser."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._values = 0
        self._from_aliases = 0
        self._before_document = 0
        self._document: Any = None

    def documents(self, text: str) -> Iterator[Any]:
        """Yield the value of each document."""
        for event in yaml.parse(text, Loader=_parser()):
            handle = self._handlers.get(type(event).__name__)
            if handle is not None:
                handle(self, event)
            if isinstance(event, yaml.DocumentEndEvent):
                document, self._document = self._document, None
                self._anchors.clear()
                self._from_aliases, self._before_document = 0, self._values
                yield document

    def _scalar(self, event: Any) -> None:
        self._count(event)
        value = self._value_of(event)
        if isinstance(value, float) and not math.isfinite(value) and not self._wants_key():
            self._refuse(event, f"the number {event.value} is not valid in JSON. Quote it if it is text")
        if self._wants_key() and event.value == "<<" and event.implicit[0]:
            self._open[-1].merging = True
        else:
            self._add(event, value, height=0)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)

    def _value_of(self, event: Any) -> Any:
        tag = event.tag
        if (tag is None and event.implicit[0]) or tag in _RESOLVED:
            return resolved(event.value)
        if tag in (None, "!") or tag in _AS_TEXT:
            return event.value
        if tag == f"{_TAG}binary":
            try:
                return base64.b64decode(event.value, validate=False).decode()
            except ValueError:
                self._refuse(event, "the value of !!binary is not the base64 of a text")
        return self._refuse(event, f"the tag {tag} is not supported. Remove it")

    def _begin(self, event: Any) -> None:
        self._count(event)
        if self._wants_key():
            self._refuse(event, "the key of a map is a map or list, which is not valid in JSON")
        if event.tag not in (None, "!") and event.tag not in _COLLECTIONS:
            self._refuse(event, f"the tag {event.tag} is not supported. Remove it")
        if len(self._open) >= DEPTH_LIMIT:
            self._refuse(event, _TOO_DEEP)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(value, event.anchor, self._values - 1))

    def _end(self, event: Any) -> None:
        closed = self._open.pop()
        for others in closed.merged:
            for key, value in others.items():
                closed.value.setdefault(key, value)
        if closed.anchor:
            self._anchors[closed.anchor] = _Anchored(closed.value, self._values - closed.before, closed.height)
        self._add(event, closed.value, closed.height)

    def _alias(self, event: Any) -> None:
        found = self._anchors.get(event.anchor)
        if found is None:
            if any(one.anchor == event.anchor for one in self._open):
                self._refuse(event, f"the anchor '{event.anchor}' contains itself")
            self._refuse(event, f"found undefined alias '*{event.anchor}'. Define its anchor before it")
        self._from_aliases += found.size
        self._count(event, found.size)
        read = self._values - self._before_document
        if self._from_aliases > _ALIASES_FREE and read > _VALUES_FREE and self._from_aliases / read > _allowed(read):
            self._refuse(event, _ALIASING)
        if len(self._open) + found.height > DEPTH_LIMIT:
            self._refuse(event, _TOO_DEEP)
        self._add(event, _copied(found.value), found.height)

    def _add(self, event: Any, value: Any, height: int) -> None:
        """Add a value to its parent: to a list, as a key or its value, or as the document."""
        if not self._open:
            self._document = value
            return
        parent = self._open[-1]
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.merging:
            parent.merging = False
            parent.merged += self._merged(event, value)
        elif parent.key is None:
            key = key_text(value) if not isinstance(value, (dict, list)) else None
            if key is None:
                self._refuse(event, "the key of a map is null, which is not valid in JSON. Quote it")
            if key in parent.value:
                self._refuse(event, f"the key '{key}' is a duplicate. Keep one of them")
            parent.value[key] = None  # finds duplicate keys while the value is read
            parent.key = key
        else:
            parent.value[parent.key] = value
            parent.key = None

    def _merged(self, event: Any, value: Any) -> list[Any]:
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(entry, dict) for entry in entries):
            self._refuse(event, "the value of '<<' must be a map or a list of maps")
        return entries

    def _wants_key(self) -> bool:
        parent = self._open[-1] if self._open else None
        return parent is not None and isinstance(parent.value, dict) and parent.key is None and not parent.merging

    def _count(self, event: Any, values: int = 1) -> None:
        self._values += values
        if self._values > SIZE_LIMIT:
            # Blame the aliases if most values come from them.
            self._refuse(event, _ALIASING if self._from_aliases > SIZE_LIMIT // 2 else _TOO_MANY)

    def _refuse(self, event: Any, problem: str) -> NoReturn:
        raise _refusal(self._source, event.start_mark.line + 1, problem)

    _handlers = {  # noqa: RUF012 - a table of methods
        "ScalarEvent": _scalar,
        "AliasEvent": _alias,
        "MappingStartEvent": _begin,
        "SequenceStartEvent": _begin,
        "MappingEndEvent": _end,
        "SequenceEndEvent": _end,
    }


@functools.cache
def _parser() -> Any:
    """Return libyaml's parser if available."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _allowed(read: int) -> float:
    """Return the share of a document's values that may come from aliases."""
    part = (min(max(read, _SMALL), _LARGE) - _SMALL) / (_LARGE - _SMALL)
    return 0.99 - 0.89 * part


def _copied(value: Any) -> Any:
    """Return a copy, so that a change in one place of a document does not affect another."""
    if isinstance(value, dict):
        return {name: _copied(child) for name, child in value.items()}
    return [_copied(child) for child in value] if isinstance(value, list) else value
