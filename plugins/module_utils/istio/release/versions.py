# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kubernetes versions that each Istio release supports, and the check of a cluster's version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...kube.errors import Refused

if TYPE_CHECKING:
    from ...kube.api.version import Version

# The oldest and newest minor version of Kubernetes 1.x, from each release's documentation.
SUPPORTED: dict[tuple[int, int], tuple[int, int]] = {
    (1, 8): (16, 19),
    (1, 9): (17, 20),
    (1, 10): (18, 21),
    (1, 11): (18, 22),
    (1, 12): (19, 22),
    (1, 13): (20, 23),
    (1, 14): (21, 24),
    (1, 15): (22, 25),
    (1, 16): (22, 25),
    (1, 17): (23, 26),
    (1, 18): (24, 27),
    (1, 19): (25, 28),
    (1, 20): (25, 29),
    (1, 21): (26, 29),
    (1, 22): (27, 30),
    (1, 23): (27, 30),
    (1, 24): (28, 31),
    (1, 25): (29, 32),
    (1, 26): (29, 33),
    (1, 27): (29, 33),
    (1, 28): (30, 34),
    (1, 29): (31, 35),
}

# The first patch release of each minor version whose `istioctl analyze` does not run exec plugins of remote secrets.
# Newer minor versions never do; older ones always do.
SAFE_REMOTE_SECRETS = ("1.29.8", "1.30.5", "1.31.1")


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return a sort key of a version; a pre-release such as -rc.1 comes before the version without it."""
    numbers, _dash, suffix = version.removeprefix("v").partition("-")
    return tuple(int(number) for number in re.findall(r"\d+", numbers)), not suffix, suffix


def check(istio: str, kubernetes: Version) -> str | None:
    """Return a warning for a Kubernetes version newer than the release supports, None for a supported one.

    Raises Refused for an older one.
    """
    numbers = version_key(istio)[0]
    supported = SUPPORTED.get((numbers[0], numbers[1])) if len(numbers) > 1 else None
    if supported is None:
        return f"The Kubernetes versions that Istio {istio} supports are not known; this cluster runs Kubernetes {kubernetes}."
    oldest, newest = supported
    if (kubernetes.major, kubernetes.minor) < (1, oldest):
        raise Refused(
            f"Cannot install Istio {istio}: it supports Kubernetes 1.{oldest} to 1.{newest}, and this cluster runs"
            f" {kubernetes}. Upgrade the cluster, choose an older Istio, or set ignore_version_check to true.",
            code="unsupported_kubernetes",
            istio=istio,
            kubernetes=str(kubernetes),
        )
    if (kubernetes.major, kubernetes.minor) > (1, newest):
        return (
            f"Istio {istio} supports Kubernetes 1.{oldest} to 1.{newest}; this cluster runs {kubernetes}, with which the"
            " release was not tested."
        )
    return None


def runs_remote_secrets(istio: str) -> bool:
    """Return whether a release's `istioctl analyze` runs the exec plugins in kubeconfigs of remote secrets."""
    numbers, released, _suffix = version_key(istio)
    fixed = {version_key(one)[0][:2]: version_key(one)[0] for one in SAFE_REMOTE_SECRETS}
    if numbers[:2] in fixed:
        return numbers < fixed[numbers[:2]] or (numbers == fixed[numbers[:2]] and not released)
    return numbers[:2] < max(fixed) or not released
