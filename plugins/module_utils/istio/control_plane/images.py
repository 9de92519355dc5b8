# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of Istio's components in a configuration, and the values that replace them by those of a mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...kube.objects.images import other_image, refuse_no_images
from ...kube.objects.objects import Object
from ..release.mirrors import refuse_unmirrored
from .operator_merge import get_path, merge


class _Component(NamedTuple):
    """An image in the charts: its value, its default name, and the section that may set another hub and tag."""

    value: str
    name: str
    own: str


_COMPONENTS = (
    _Component("pilot.image", "pilot", "pilot"),
    _Component("global.proxy.image", "proxyv2", ""),
    _Component("global.proxy_init.image", "proxyv2", ""),
    _Component("cni.image", "install-cni", "cni"),
    _Component("ztunnel.image", "ztunnel", "ztunnel"),
)
PROXIES = frozenset({"global.proxy.image", "global.proxy_init.image"})
"""The values of images that istiod injects into pods."""


def istio_images(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the image of each component, installed or not, by the charts' value that sets it."""
    return {one.value: _image(one, values) for one in _COMPONENTS}


def _image(component: _Component, values: Mapping[str, Any]) -> str:
    name = get_path(values, component.value) or component.name
    if "/" in name:
        return str(name)
    hub, tag, variant = (
        (get_path(values, f"{component.own}.{part}") if component.own else None)
        or get_path(values, f"global.{part}")
        or ""
        for part in ("hub", "tag", "variant")
    )
    return f"{hub}/{name}:{tag}{f'-{variant}' if variant else ''}"


def mirrored(values: Mapping[str, Any], mirrors: Mapping[str, str], pull_secrets: Sequence[str]) -> Object:
    """Return the spec to merge into an IstioOperator so that its images come from `mirrors`, with the pull Secrets.

    values: the charts' values so far.

    If all images move to the same registry, the spec only sets `hub`. Raises InvalidInput.
    """
    refuse_no_images("mirrors", mirrors)
    spec: Object = {}
    images = istio_images(values)
    refuse_unmirrored(images.values(), mirrors)
    others = {value: other_image(image, mirrors) for value, image in images.items()}
    moved = {_moved_to(image, others[value]) for value, image in images.items()}
    if others == images:
        pass
    elif len(moved) == 1 and None not in moved:
        spec["hub"] = moved.pop()
    else:
        for value, other in others.items():
            if other != images[value]:
                _set(spec, f"values.{value}", other)
    if pull_secrets:
        had = get_path(values, "global.imagePullSecrets") or []
        merge(spec, {"values": {"global": {"imagePullSecrets": list(dict.fromkeys([*had, *pull_secrets]))}}})
    return spec


def _moved_to(image: str, other: str) -> str | None:
    """Return the new hub of an image, None if its name or tag differs too."""
    hub, _slash, name = other.rpartition("/")
    return hub if name == image.rpartition("/")[2] else None


def _set(spec: Object, path: str, value: str) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        spec = spec.setdefault(folder, {})
    spec[last] = value
