# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other images for the containers of manifests: a mirror's, a newer one, one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from .errors import InvalidInput

Object = dict[str, Any]

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_VERSION = re.compile(r"(:[\w][\w.-]*)?(@[\w+.-]+:[0-9a-fA-F]+)?$")
"""A tag, a digest or both, at the end of an image's reference."""

_INJECTED = "auto"
"""What a container is given that Istio's injector is to fill in. It is no image."""


def replace_images(objects: Iterable[Object], images: Mapping[str, str]) -> list[Object]:
    """Copies of `objects` with other images, wherever in them there are containers.

    A key is an image with its tag or digest; or without, for whatever version of it there is; or the beginning of
    images, ending in a slash. The longest that fits is taken. A value without a tag or digest leaves those that the
    manifest has. Raises InvalidInput for a value that is no image, and for an image that no container has; a beginning
    may fit none, so that one mirror can be given to all.
    """
    for key, value in images.items():
        if key.endswith("/") != value.endswith("/") or not value.strip("/") or re.search(r"\s", value):
            expected = "the beginning of images, ending in a slash" if key.endswith("/") else "an image"
            raise InvalidInput(f"images gives '{value}' for {key}, which is not {expected}.", image=key)
    replaced = deepcopy(list(objects))
    containers = [container for obj in replaced for container in _containers(obj)]
    used = {str(container["image"]) for container in containers}
    unused = [key for key in images if not key.endswith("/") and not any(_fits(key, image) for image in used)]
    if unused:
        raise InvalidInput(
            f"images names {', '.join(unused)}, but the manifests use {', '.join(sorted(used)) or 'none'}.",
            images=unused,
        )
    for container in containers:
        container["image"] = _other(container["image"], images)
    return replaced


def _containers(node: Any) -> Iterator[Object]:
    if isinstance(node, Mapping):
        for field, value in node.items():
            if field in _CONTAINERS and isinstance(value, list):
                for one in value:
                    if isinstance(one, dict) and isinstance(one.get("image"), str) and one["image"] != _INJECTED:
                        yield one
            else:
                yield from _containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _containers(value)


def _other(image: str, images: Mapping[str, str]) -> str:
    key = max((key for key in images if _fits(key, image)), key=lambda key: len(_canonical(key)), default=None)
    if key is None:
        return image
    if key.endswith("/"):
        return images[key] + _canonical(image).removeprefix(_canonical(key))
    value, version = images[key], _version(image)
    return value if _version(key) or _version(value) else f"{value}{version}"


def _fits(key: str, image: str) -> bool:
    if key.endswith("/"):
        return _canonical(image).startswith(_canonical(key))
    return _canonical(image) == _canonical(key) or (
        not _version(key) and _canonical(image.removesuffix(_version(image))) == _canonical(key)
    )


def _version(image: str) -> str:
    """The tag and the digest of an image, with their signs, or nothing."""
    # A colon before the last slash is a port's.
    match = _VERSION.search(image.rpartition("/")[2])
    return match.group() if match else ""


def _canonical(image: str) -> str:
    """An image, or the beginning of images, with the registry that container runtimes take it from."""
    first, slash, _path = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"
