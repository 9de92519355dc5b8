# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check images against the registries of Istio, which differ between releases, and their mirrors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ...kube.errors import InvalidInput
from ...kube.objects.images import has_mirror
from .releases import KNOWN


def refuse_unmirrored(images: Collection[str], mirrors: Mapping[str, str]) -> None:
    """Raise InvalidInput if there are mirrors, and none is for any of the images, of which Istio has published some."""
    published = sorted({image for image in images if _hub(image) in KNOWN.hubs})
    if not mirrors or not published or any(has_mirror(image, mirrors) for image in images):
        return
    hub = f"{_hub(published[0])}/"
    raise InvalidInput(
        f"The mirrors {', '.join(mirrors)} are for none of the images {', '.join(published)}. Add {hub} to mirrors, with"
        " itself as the value to pull them from there.",
        images=published,
    )


def retired_registries(images: Iterable[str]) -> Iterator[str]:
    """Yield a warning for each retired registry that images are in."""
    for hub, row in dict(filter(None, map(KNOWN.retirement, images))).items():
        yield (
            f"Images are in the registry {hub}, which is retired in {row['retired']}. Replace it in mirrors by"
            f" {row['replacement']}, or by a mirror."
        )


def _hub(image: str) -> str:
    return image.rpartition("/")[0]
