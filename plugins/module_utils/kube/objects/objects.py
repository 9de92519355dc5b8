# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes objects as plain dictionaries: identify them, and read them from YAML and JSON."""

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
    """A kind of object at one API version, for example `Kind("apps/v1", "Deployment")`."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]


class Key(NamedTuple):
    """What names one object in a cluster; `namespace` is empty where there is none."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def of(self) -> Kind:
        """The kind that the key's object is of."""
        return Kind(self.api_version, self.kind)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """The key without the API version's version: one object, whatever version it is read at."""
        return (self.of.group, self.kind, self.namespace, self.name)


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The kind of an object."""
    return Kind(obj["apiVersion"], obj["kind"])


def key_of(obj: Mapping[str, Any]) -> Key:
    """The key of an object."""
    metadata = obj["metadata"]
    return Key(obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"])


def read_manifests(text: str, source: str) -> list[dict[str, Any]]:
    """The Kubernetes objects of a YAML text; lists of objects are expanded.

    Raises InvalidInput as `read_yaml` does, and for a document that is not an object with a kind and a name.
    """
    return list(expand(read_yaml(text, source), source))


def expand(documents: Iterable[Any], source: str) -> Iterator[dict[str, Any]]:
    """The objects among `documents`, with objects of kind List replaced by what they hold; checks each."""
    for number, document in enumerate(documents, start=1):
        where = f"{source}, document {number}"
        check_limits(document, where)
        yield from _objects(document, where)


def _objects(document: Any, where: str) -> Iterator[dict[str, Any]]:
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{where} is {described(document)}, but must be a Kubernetes object.")
    if not str(document.get("kind", "")).endswith("List") or "items" not in document:
        yield _checked(document, where)
        return
    items = document["items"] or ()
    if not isinstance(items, (list, tuple)):
        raise InvalidInput(f"{where}: items is {described(items)}, but must be a list.", fields=["items"])
    for index, item in enumerate(items):
        yield from _objects(item, f"{where}, items[{index}]")


def _checked(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise InvalidInput(f"{where} is not a Kubernetes object: it has no {field}.")
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise InvalidInput(f"{where}, of kind {document['kind']}, has no metadata.name, or one that is not text.")
    refuse_misshapen(document, f"{where} ({document['kind']} {metadata['name']})")
    return dict(document)
