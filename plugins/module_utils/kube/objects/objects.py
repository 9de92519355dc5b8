# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identify Kubernetes objects (plain dictionaries), and read them from YAML and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import InvalidInput
from ..yaml.reader import check_limits, read_yaml
from .object_shapes import refuse_misshapen
from .shapes import described

Object = dict[str, Any]
"""A Kubernetes object as plain data."""


class Kind(NamedTuple):
    """A kind at one API version, for example `Kind("apps/v1", "Deployment")`."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]


class Key(NamedTuple):
    """The identity of an object in a cluster; `namespace` is empty for cluster-scoped ones."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def of(self) -> Kind:
        """The kind of the object."""
        return Kind(self.api_version, self.kind)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """The key with the API group instead of the API version, for comparisons across versions."""
        return (self.of.group, self.kind, self.namespace, self.name)


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """Return the kind of an object."""
    return Kind(obj["apiVersion"], obj["kind"])


def key_of(obj: Mapping[str, Any]) -> Key:
    """Return the key of an object."""
    metadata = obj["metadata"]
    return Key(obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"])


def read_manifests(text: str, source: str) -> list[dict[str, Any]]:
    """Read the Kubernetes objects of a YAML text; expand Lists.

    Raises InvalidInput as `read_yaml` does, and for a document without kind or name.
    """
    return list(expand(read_yaml(text, source), source))


def expand(documents: Iterable[Any], source: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in `documents`, checked, with the items of Lists instead of the Lists."""
    for number, document in enumerate(documents, start=1):
        where = f"{source}, document {number}"
        check_limits(document, where)
        yield from _objects(document, where)


def _objects(document: Any, where: str) -> Iterator[dict[str, Any]]:
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{where} is invalid: it is {described(document)}, but must be a Kubernetes object.")
    if not str(document.get("kind", "")).endswith("List") or "items" not in document:
        yield _checked(document, where)
        return
    items = document["items"] or ()
    if not isinstance(items, (list, tuple)):
        raise InvalidInput(f"{where} is invalid: items is {described(items)}, but must be a list.", fields=["items"])
    for index, item in enumerate(items):
        yield from _objects(item, f"{where}, items[{index}]")


def _checked(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise InvalidInput(f"{where} is not a Kubernetes object: {field} not found. Add it.")
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise InvalidInput(
            f"{where} is not a valid {document['kind']}: metadata.name not found, or not a text. Set it, in quotes if it is"
            " a number."
        )
    refuse_misshapen(document, f"{where} ({document['kind']} {metadata['name']})")
    return dict(document)
