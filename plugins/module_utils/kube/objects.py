# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes objects as plain dictionaries: identify them, and read them from YAML."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

try:
    import yaml
except ImportError:  # reported by module.py before anything here is called
    yaml = None  # type: ignore[assignment]

from .errors import InvalidInput


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


def read_yaml(text: str, source: str) -> list[Any]:
    """The documents of a YAML text, empty ones left out.

    `source` names the text in errors (a file, a URL). A YAML error or a repeated key raises InvalidInput
    that names the source and the line.
    """
    try:
        return [document for document in yaml.load_all(text, Loader=_loader()) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InvalidInput(
            f"{source}, line {line}: {error.problem or 'this is not YAML'}.", file=source, line=line
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{source} is not YAML: {' '.join(str(error).split())}.", file=source) from error


def read_manifests(text: str, source: str) -> list[dict[str, Any]]:
    """The Kubernetes objects of a YAML text; lists of objects are expanded.

    Raises InvalidInput as `read_yaml` does, and for a document that is not an object with a kind and a name.
    """
    return list(expand(read_yaml(text, source), source))


def expand(documents: Iterable[Any], source: str) -> Iterator[dict[str, Any]]:
    """The objects among `documents`, with objects of kind List replaced by what they hold; checks each."""
    for number, document in enumerate(documents, start=1):
        if isinstance(document, Mapping) and str(document.get("kind", "")).endswith("List") and "items" in document:
            yield from expand(document["items"] or (), source)
        else:
            yield _checked(document, f"{source}, document {number}")


def _checked(document: Any, where: str) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{where} is {type(document).__name__}, not a Kubernetes object.")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise InvalidInput(f"{where} is not a Kubernetes object: it has no {field}.")
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise InvalidInput(f"{where}, of kind {document['kind']}, has no metadata.name, or one that is not text.")
    if not isinstance(metadata.get("namespace") or "", str):
        raise InvalidInput(
            f"{where}, {document['kind']} {metadata['name']}, has a metadata.namespace that is not text."
        )
    return dict(document)


@functools.cache
def _loader() -> type:
    """libyaml's safe loader where it exists, made to read what Kubernetes reads."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class ManifestLoader(base):
        """Reads YAML as kubectl does, and refuses a repeated key, which hides mistakes in manifests."""

        def flatten_mapping(self, node: Any) -> None:
            # Once only: a mapping that others merge is flattened for them, and then also holds what it overrides.
            if not hasattr(node, "checked"):
                node.checked = True
                seen: set[str] = set()
                for key_node, _value in node.value:
                    if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                        continue
                    if key_node.value in seen:
                        raise _problem(f"the key '{key_node.value}' is repeated: keep one of the two", key_node)
                    seen.add(key_node.value)
            super().flatten_mapping(node)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = super().construct_mapping(node, deep)
            return {key if isinstance(key, str) else _text(key, node): value for key, value in mapping.items()}

        def construct_number(self, node: Any) -> Any:
            # Only YAML 1.1 counts in base 60, where 12:30 is a number.
            if ":" in node.value:
                return self.construct_yaml_str(node)
            return self.construct_yaml_int(node) if node.tag.endswith(":int") else self.construct_yaml_float(node)

    # A lone '=' is a string in YAML 1.2, as in a list of operators of a CRD. Dates stay the strings that JSON holds.
    for tag in ("value", "timestamp"):
        ManifestLoader.add_constructor(f"tag:yaml.org,2002:{tag}", base.construct_yaml_str)
    for tag in ("int", "float"):
        ManifestLoader.add_constructor(f"tag:yaml.org,2002:{tag}", ManifestLoader.construct_number)
    return ManifestLoader


def _text(key: Any, mapping: Any) -> str:
    """A key as JSON, which only knows strings, writes it: `1: a` is `"1": a`."""
    if isinstance(key, (bool, int, float)):
        return json.dumps(key)
    raise _problem(f"the key {key!r} is not text", mapping)


def _problem(problem: str, node: Any) -> Exception:
    error: Exception = yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    return error
