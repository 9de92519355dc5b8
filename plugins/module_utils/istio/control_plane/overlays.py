# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and check IstioOperator overlays: files, texts or inline objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.yaml.reader import check_limits, read_yaml, to_json
from ...kube.yaml.text_encoding import normalised, read_text
from .operator_shape import refuse_misshapen_operator

KIND = "IstioOperator"
API_VERSION = "install.istio.io/v1alpha1"


@dataclass(frozen=True)
class Overlay:
    """One IstioOperator: its source, its text as the user wrote it, and its content."""

    source: str
    text: str
    document: Mapping[str, Any]

    @classmethod
    def read(cls, text: str, source: str) -> Overlay:
        """Read an overlay from YAML; InvalidInput names the source, and the line if known."""
        documents = read_yaml(text, source)
        if len(documents) != 1:
            raise InvalidInput(
                f"{source} is not a valid overlay: it has {len(documents)} YAML documents. Give exactly one {KIND} in each"
                " overlay.",
                file=source,
            )
        return cls(source, normalised(text), _checked(documents[0], source))

    @classmethod
    def of(cls, document: Any, source: str) -> Overlay:
        """Read an overlay from an inline object."""
        check_limits(document, source)
        return cls(source, to_json(document), _checked(document, source))

    @property
    def for_istioctl(self) -> str:
        """The overlay as JSON, so that istioctl cannot parse it differently."""
        return to_json(self.document)

    def line_of(self, field: str) -> int | None:
        """Return the first line (from 1) of the text with this key, None if the text has none."""
        found = re.search(rf"^[\s-]*[\"']?{re.escape(field)}[\"']?\s*:", self.text, re.MULTILINE)
        return (
            self.text.count("\n", 0, found.start()) + self.text[found.start() : found.end()].count("\n") + 1
            if found
            else None
        )

    def holds(self, field: str) -> bool:
        """Return whether any map of the overlay has this key."""
        return _holds(self.document, field)


def read_overlays(entries: Iterable[Any]) -> list[Overlay]:
    """Read overlays in their order.

    An entry is an inline object, an `Overlay`, the path of a local file, or, for a file that was read on the
    controller, a map of `source` (a name for errors) and `text`.
    """
    overlays: list[Overlay] = []
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Overlay):
            overlays.append(entry)
        elif isinstance(entry, Mapping) and set(entry) == {"source", "text"}:
            overlays.append(Overlay.read(entry["text"], entry["source"]))
        elif isinstance(entry, Mapping):
            overlays.append(Overlay.of(entry, f"overlay {number}"))
        elif isinstance(entry, str):
            overlays.append(Overlay.read(read_text(entry, "overlay"), entry))
        else:
            raise InvalidInput(f"Overlay {number} is invalid: it must be the path of a file, or an {KIND}.")
    return overlays


def _checked(document: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{source} is not an {KIND}: it must be a map of keys and values.", file=source)
    kind, api_version = document.get("kind"), str(document.get("apiVersion") or "")
    if kind != KIND:
        raise InvalidInput(
            f"{source} is not an {KIND}: its kind is {kind or 'missing'}. Set 'apiVersion: {API_VERSION}' and"
            f" 'kind: {KIND}'.",
            file=source,
        )
    if api_version != API_VERSION:
        raise InvalidInput(
            f"{source} is not an {KIND} of {API_VERSION}: its apiVersion is {api_version or 'missing'}. Set"
            f" 'apiVersion: {API_VERSION}'.",
            file=source,
        )
    for field in document:
        if field not in ("apiVersion", "kind", "metadata", "spec", "status"):
            raise InvalidInput(
                f"{source} is not a valid {KIND}: unknown field '{field}'. Move settings below 'spec'.", file=source
            )
    refuse_misshapen_operator(document, source)
    return document


def _holds(node: Any, field: str) -> bool:
    if isinstance(node, Mapping):
        return field in node or any(_holds(value, field) for value in node.values())
    return isinstance(node, list) and any(_holds(value, field) for value in node)
