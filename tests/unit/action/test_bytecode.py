# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules come with byte code, which no Python has to understand."""

from __future__ import annotations

import base64
import importlib.util
import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from zipimport import zipimporter

import pytest
from ansible_collections.meshops.istio.plugins.plugin_utils.bytecode import with_byte_code


@dataclass(frozen=True)
class Packed:
    """What ansible-core 2.19 keeps of a module, as far as it matters here."""

    zip_data: bytes
    metadata: str


@pytest.fixture
def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("packed/__init__.py", "")
        archive.writestr("packed/answer.py", "VALUE = 42\n")
    return base64.b64encode(made.getvalue())


def loaded_from(packed: bytes, folder: Path) -> str:
    """The file of the zip that the module is loaded from."""
    path = folder / f"{len(packed)}.zip"  # Python remembers what is in a file
    path.write_bytes(base64.b64decode(packed))
    spec = zipimporter(str(path / "packed")).find_spec("answer")
    assert spec
    assert spec.loader
    assert spec.origin
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.VALUE == 42
    return Path(spec.origin).name


def test_python_loads_the_byte_code(zipped: bytes, tmp_path: Path) -> None:
    assert loaded_from(zipped, tmp_path) == "answer.py"
    assert loaded_from(with_byte_code(zipped), tmp_path) == "answer.pyc"


def test_another_python_loads_the_source(zipped: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "MAGIC_NUMBER", b"old\n")
        of_another = with_byte_code(zipped)
    assert loaded_from(of_another, tmp_path) == "answer.py"


def test_the_form_of_ansible_core_2_19(zipped: bytes, tmp_path: Path) -> None:
    packed = pickle.loads(with_byte_code(pickle.dumps(Packed(zipped, "the rest"))))
    assert packed.metadata == "the rest"
    assert loaded_from(packed.zip_data, tmp_path) == "answer.pyc"


@pytest.mark.parametrize("packed", [b"all of it", b"", b"\x80all of it", pickle.dumps(Packed(b"no zip", ""))])
def test_what_is_not_understood_stays_as_it_is(packed: bytes) -> None:
    assert with_byte_code(packed) == packed
