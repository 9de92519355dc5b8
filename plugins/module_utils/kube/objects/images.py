# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replace the images of containers in manifests, and add pull Secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ..errors import InvalidInput
from .objects import Object

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_VERSION = re.compile(r"(:[\w][\w.-]*)?(@[\w+.-]+:[0-9a-fA-F]+)?$")
"""A tag, a digest or both, at the end of an image reference."""

ANY = "/"
"""A key of images that matches every registry."""

_INJECTED = "auto"
"""The placeholder of a container's image that Istio's injector replaces."""


def replace_images(
    objects: Iterable[Object], images: Mapping[str, str], mirrors: Mapping[str, str] | None = None
) -> list[Object]:
    """Return copies of `objects` with other images in all containers.

    A key is an image with tag or digest; without, it matches all versions; with a slash at the end, it is a prefix; a
    slash alone matches all registries but the value's own. The longest match wins. A value without tag or digest keeps
    those of the manifest. Raises InvalidInput for an invalid image, and for an image that no container has; a prefix may
    match nothing, so that one mirror can be used for all manifests.

    mirrors: the same, but no entry needs to match; `images` take precedence.
    """
    refuse_no_images("images", images)
    refuse_no_images("mirrors", mirrors or {})
    all_images = {**(mirrors or {}), **images}
    replaced = deepcopy(list(objects))
    containers = [container for obj in replaced for container in _containers(obj)]
    used = {str(container["image"]) for container in containers}
    unused = [key for key in images if not key.endswith("/") and not any(_fits(key, image) for image in used)]
    if unused:
        raise InvalidInput(
            f"Image {', '.join(unused)} of images not found: the manifests use {', '.join(sorted(used)) or 'none'}. Correct"
            " or remove it.",
            images=unused,
        )
    for container in containers:
        container["image"] = other_image(container["image"], all_images)
    return replaced


def refuse_no_images(option: str, images: Mapping[str, Any]) -> None:
    """Raise InvalidInput for an entry of an option whose value is not an image, or for a prefix not a prefix."""
    for key, value in images.items():
        text = str(value)
        if key.endswith("/") != text.endswith("/") or not text.strip("/") or re.search(r"\s", text):
            expected = "a prefix of images that ends in a slash" if key.endswith("/") else "an image"
            raise InvalidInput(
                f"The value '{value}' of {key} in {option} is invalid: it must be {expected}.", image=key
            )


def images_of(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the images of the containers in `objects`, without duplicates."""
    return list(dict.fromkeys(container["image"] for obj in objects for container in _containers(obj)))


def with_pull_secrets(objects: Iterable[Object], names: Sequence[str]) -> list[Object]:
    """Return copies of `objects` with these Secrets added to imagePullSecrets of their pods."""
    found = deepcopy(list(objects))
    for pod in (pod for obj in found for pod in _pod_specs(obj)):
        had = pod.get("imagePullSecrets") or []
        # A custom resource may have a pod's spec where no shape was checked.
        known = [one.get("name") for one in had if isinstance(one, Mapping)] if isinstance(had, list) else names
        more = [{"name": name} for name in names if name not in known]
        if more:
            pod["imagePullSecrets"] = [*had, *more]
    return found


def _pod_specs(node: Any) -> Iterator[Object]:
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield node
            return
        for value in node.values():
            yield from _pod_specs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pod_specs(value)


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


def other_image(image: str, images: Mapping[str, str]) -> str:
    """Return the replacement of an image by `images` (see replace_images); the image itself if none matches."""
    fitting = (key for key in images if _fits(key, image) and not (key == ANY and _is_at(image, images[ANY])))
    key = max(fitting, key=lambda key: 0 if key == ANY else len(_canonical(key)), default=None)
    if key is None:
        return image
    if key == ANY:
        return images[key] + _canonical(image).partition("/")[2]
    if key.endswith("/"):
        return images[key] + _canonical(image).removeprefix(_canonical(key))
    value, version = images[key], _version(image)
    return value if _version(key) or _version(value) else f"{value}{version}"


def has_mirror(image: str, mirrors: Mapping[str, str]) -> bool:
    """Return whether an image has an entry in `mirrors`, or is in one of them."""
    return any(
        _fits(key, image) or (key.endswith("/") and _canonical(image).startswith(_canonical(value)))
        for key, value in mirrors.items()
    )


def _is_at(image: str, mirror: str) -> bool:
    """Return whether an image is already in the registry of a mirror."""
    return _canonical(image).partition("/")[0] == _canonical(mirror).partition("/")[0]


def _fits(key: str, image: str) -> bool:
    if key == ANY:
        return True
    if key.endswith("/"):
        return _canonical(image).startswith(_canonical(key))
    return _canonical(image) == _canonical(key) or (
        not _version(key) and _canonical(image.removesuffix(_version(image))) == _canonical(key)
    )


def _version(image: str) -> str:
    """Return the tag and digest of an image with their separators, empty if none."""
    # A colon before the last slash separates a port.
    match = _VERSION.search(image.rpartition("/")[2])
    return match.group() if match else ""


def _canonical(image: str) -> str:
    """Return an image, or a prefix, with the default registry of container runtimes."""
    first, slash, _path = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"
