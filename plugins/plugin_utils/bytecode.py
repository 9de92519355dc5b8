# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add byte code to the package of a module.

ansible-core runs a module from a zip of sources, which Python would compile for each task, for about 0.1 s: longer than
the work of a task without changes. Python uses byte code in a zip if it is of its own version, else the source.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib.util
import io
import marshal
import pickle
import zipfile

_PICKLE = b"\x80"
_UNCHECKED = (0b01).to_bytes(4, "little")
"""The flags of byte code with an unchecked hash of its source (PEP 552)."""


def with_byte_code(packed: bytes) -> bytes:
    """Return a package with byte code of this Python added; unchanged if its format is unknown."""
    try:
        if not packed.startswith(_PICKLE):  # before ansible-core 2.19
            return _with_code(packed)
        module = pickle.loads(packed)  # noqa: S301 - created by this run
        return pickle.dumps(dataclasses.replace(module, zip_data=_with_code(module.zip_data)))
    except (AttributeError, ImportError, SyntaxError, TypeError, ValueError, pickle.PickleError, zipfile.BadZipFile):
        return packed


def _with_code(encoded: bytes) -> bytes:
    """Return a base64 zip with the byte code of each of its sources added."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(base64.b64decode(encoded))) as sources,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as both,
    ):
        for entry in sources.infolist():
            content = sources.read(entry)
            both.writestr(entry, content)
            if entry.filename.endswith(".py"):
                both.writestr(f"{entry.filename}c", _code(content, entry.filename))
    return base64.b64encode(made.getvalue())


def _code(source: bytes, name: str) -> bytes:
    """Return the content of a .pyc file."""
    code = compile(source, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)
