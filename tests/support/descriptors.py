# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Protocol buffer descriptors in the wire format, as a program in Go contains them."""

from __future__ import annotations

from collections.abc import Mapping


def descriptor(name: str, package: str, messages: Mapping[str, Mapping[str, str]]) -> bytes:
    """A FileDescriptorProto of messages with fields by their names in JSON; the value is a message type, or empty."""
    types = b"".join(_bytes(4, _message(message, fields)) for message, fields in messages.items())
    return _bytes(1, name.encode()) + _bytes(2, package.encode()) + types + _bytes(12, b"proto3")


def _message(name: str, fields: Mapping[str, str]) -> bytes:
    return _bytes(1, name.encode()) + b"".join(_bytes(2, _field(field, kind)) for field, kind in fields.items())


def _field(name: str, kind: str) -> bytes:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    scalar_or_message = _number(5, 11 if kind else 9)
    named = _bytes(6, f".{kind}".encode()) if kind else b""
    return _bytes(1, snake.encode()) + _number(3, 1) + scalar_or_message + named + _bytes(10, name.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


MESH_CONFIG = descriptor(
    "mesh/v1alpha1/config.proto",
    "istio.mesh.v1alpha1",
    {
        "MeshConfig": {
            "accessLogFile": "",
            "enableAutoMtls": "google.protobuf.BoolValue",
            "defaultConfig": "istio.mesh.v1alpha1.ProxyConfig",
            "extensionProviders": "istio.mesh.v1alpha1.Provider",
        },
        "ProxyConfig": {"holdApplicationUntilProxyStarts": "", "proxyMetadata": "google.protobuf.Struct"},
        "Provider": {"name": "", "service": ""},
    },
)
