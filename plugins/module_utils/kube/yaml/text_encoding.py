# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read text files as kubectl does: UTF-8 and UTF-16, with byte-order marks."""

from __future__ import annotations

import codecs
import os
import re

from ..errors import InvalidInput

LIMIT = 16 * 1024 * 1024
"""The maximum size of a text in bytes, several times that of the largest published manifests."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "", "UTF-32"),  # before UTF-16, because its mark starts with that of UTF-16
    (codecs.BOM_UTF32_BE, "", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_BINARY = ((b"\x1f\x8b", "a gzip archive"), (b"PK\x03\x04", "a zip archive"), (b"%PDF", "a PDF"))
_MARK_OF_LINE = re.compile("^\ufeff+", re.MULTILINE)


def read_text(path: str | os.PathLike[str], what: str = "file") -> str:
    """Read the text of a file, normalised; `what`: the kind of file in errors, such as "manifest".

    Raises InvalidInput if the file is not found, not readable, too large, or not text.
    """
    path = os.fspath(path)
    named = f"The {what} {path}"
    try:
        with open(path, "rb") as file:
            data = file.read(LIMIT + 1)
    except FileNotFoundError as error:
        raise InvalidInput(f"{named} was not found. Correct the path.", file=path) from error
    except (OSError, ValueError) as error:  # a ValueError is a NUL in the path
        raise InvalidInput(
            f"{named} cannot be read: {getattr(error, 'strerror', None) or error}. Check its path and permissions.",
            file=path,
        ) from error
    return decode(data, path)


def decode(data: bytes, source: str) -> str:
    """Decode and normalise a text. Raises InvalidInput with `source`, encoding and line."""
    if len(data) > LIMIT:
        raise _too_long(source)
    mark, encoding, name = next((found for found in _MARKS if data.startswith(found[0])), (b"", "utf-8", "UTF-8"))
    if not encoding:
        raise InvalidInput(
            f"{source} has the unsupported encoding {name}. Save it as UTF-8.", file=source, encoding=name
        )
    for magic, kind in _BINARY:
        if data.startswith(magic):
            raise InvalidInput(f"{source} is not a text file: it is {kind}. Unpack it first.", file=source)
    if not mark and b"\0" in data[:4]:
        raise InvalidInput(
            f"{source} has an unsupported encoding: UTF-16 without a byte-order mark. Save it as UTF-8.",
            file=source,
            encoding="UTF-16",
        )
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data[len(mark) : len(mark) + error.start].decode(encoding, "replace").count("\n") + 1
        byte = data[len(mark) + error.start]
        raise InvalidInput(
            f"{source}, line {line}: byte 0x{byte:02x} is not valid {name}. Save the file as UTF-8, or convert it, for"
            " example by `iconv -f WINDOWS-1252 -t UTF-8`.",
            file=source,
            line=line,
            encoding=name,
        ) from error
    return normalised(text)


def normalised(text: str) -> str:
    """Remove byte-order marks at the beginning of lines, as in concatenated files, and replace CRLF."""
    if "\ufeff" in text:
        text = _MARK_OF_LINE.sub("", text)
    return text.replace("\r\n", "\n")


def check_length(text: str, source: str) -> None:
    """Raise InvalidInput for a text that is too long."""
    if len(text) > LIMIT:
        raise _too_long(source)


def _too_long(source: str) -> InvalidInput:
    return InvalidInput(f"{source} is too long: the maximum is {LIMIT // 1024 // 1024} MiB. Split it.", file=source)
