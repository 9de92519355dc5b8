# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds byte code to what ansible-core packs of a module.

A module is imported from a zip of sources, which Python compiles each time anew: a tenth of a second for each task, more
than a task that has nothing to change spends on its work. Python takes the byte code of a zip where it is its own
version's, and the source beside it where it is not.
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
"""The flags of byte code that is identified by a hash of its source, which is not to be compared (PEP 552)."""


def compiled(packed: bytes) -> bytes:
    """What ansible-core has packed, with this Python's byte code; as it is where that is not in a form that is known."""
    try:
        if not packed.startswith(_PICKLE):  # before ansible-core 2.19
            return _with_code(packed)
        module = pickle.loads(packed)  # noqa: S301 - of this very run
        return pickle.dumps(dataclasses.replace(module, zip_data=_with_code(module.zip_data)))
    except (AttributeError, ImportError, SyntaxError, TypeError, ValueError, pickle.PickleError, zipfile.BadZipFile):
        return packed


def _with_code(encoded: bytes) -> bytes:
    """A zip in base64, with the byte code of each source in it."""
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
    """The content of a .pyc file."""
    code = compile(source, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)
