# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the fields of Istio's message types from the protocol buffer descriptors in a release's istioctl.

Programs in Go contain the FileDescriptorProto of each .proto file that they were built with. Thus the fields are exactly
those of the release.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

Fields = Mapping[str, str]
"""The fields of a message by their names in JSON and in the .proto file; the value is the message type, else empty."""

# The numbers of the fields of descriptors: https://protobuf.dev/reference/protobuf/google.protobuf/
_FILE_PACKAGE, _FILE_MESSAGE, _FILE_SYNTAX = 2, 4, 12
_MESSAGE_NAME, _MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_OPTIONS = 1, 2, 3, 7
_FIELD_NAME, _FIELD_TYPE, _FIELD_TYPE_NAME, _FIELD_JSON_NAME = 1, 5, 6, 10
_OPTION_MAP_ENTRY = 7
_TYPE_MESSAGE = 11
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


class _Malformed(ValueError):
    """The bytes are no descriptor, or its end is reached."""


class _Entry(NamedTuple):
    number: int
    value: int | bytes


class Message(NamedTuple):
    """The fields of a message type (see Fields); `is_map`: it is the entry of a map, with the fields key and value."""

    fields: dict[str, str]
    is_map: bool


def message_types(program: Path, files: Iterable[str]) -> dict[str, Message]:
    """Return the message types in .proto files by their full names; those of files that are not found are missing."""
    types: dict[str, Message] = {}
    try:
        with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for name in files:
                # The first field of a FileDescriptorProto is its name, the second its package.
                start = content.find(b"\n" + bytes([len(name)]) + name.encode() + b"\x12")
                if start >= 0:
                    types.update(_types_in_file(_entries(content, start, len(content))))
    except (OSError, ValueError):  # such as an empty file
        return {}
    return types


def _types_in_file(entries: Iterator[_Entry]) -> dict[str, Message]:
    package, types = "", dict[str, Message]()
    try:
        for number, value in entries:
            if number == _FILE_PACKAGE and isinstance(value, bytes):
                package = value.decode()
            elif number == _FILE_MESSAGE and isinstance(value, bytes):
                types.update(_types_in_message(value, package))
            elif number >= _FILE_SYNTAX:
                break
    except (_Malformed, UnicodeDecodeError):
        pass  # the end of a file without syntax
    return types


def _types_in_message(content: bytes, outer: str) -> Iterator[tuple[str, Message]]:
    name, is_map, fields = "", False, dict[str, str]()
    nested: list[bytes] = []
    for number, value in _entries(content, 0, len(content)):
        if not isinstance(value, bytes):
            continue
        if number == _MESSAGE_NAME:
            name = f"{outer}.{value.decode()}"
        elif number == _MESSAGE_FIELD:
            fields.update(_field(value))
        elif number == _MESSAGE_NESTED:
            nested.append(value)
        elif number == _MESSAGE_OPTIONS:
            is_map = any(option == _OPTION_MAP_ENTRY for option, _value in _entries(value, 0, len(value)))
    yield name, Message(fields, is_map)
    for one in nested:
        yield from _types_in_message(one, name)


def _field(content: bytes) -> dict[str, str]:
    found = dict(_entries(content, 0, len(content)))
    names = {_text(found.get(_FIELD_NAME)), _text(found.get(_FIELD_JSON_NAME))} - {""}
    is_message = found.get(_FIELD_TYPE) == _TYPE_MESSAGE
    return dict.fromkeys(names, _text(found.get(_FIELD_TYPE_NAME)).removeprefix(".") if is_message else "")


def _text(value: int | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else ""


def _entries(content: bytes | mmap.mmap, start: int, end: int) -> Iterator[_Entry]:
    """Yield the fields of a message in the wire format. Raises _Malformed."""
    at = start
    while at < end:
        tag, at = _varint(content, at, end)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at, end)
            yield _Entry(number, value)
            continue
        if kind == _BYTES:
            length, at = _varint(content, at, end)
        elif kind in (_FIXED_32, _FIXED_64):
            length = 4 if kind == _FIXED_32 else 8
        else:
            raise _Malformed
        if number == 0 or at + length > end:
            raise _Malformed
        yield _Entry(number, bytes(content[at : at + length]))
        at += length


def _varint(content: bytes | mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 64:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _Malformed
