# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare versions of Istio."""

from __future__ import annotations

import re

from .release_data import SAFE_REMOTE_SECRETS


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return a sort key of a version; a pre-release such as -rc.1 comes before the version without it."""
    numbers, _dash, suffix = version.removeprefix("v").partition("-")
    return tuple(int(number) for number in re.findall(r"\d+", numbers)), not suffix, suffix


def minor_of(version: str) -> tuple[int, ...]:
    """Return the major and minor number of a version."""
    return version_key(version)[0][:2]


def runs_remote_secrets(istio: str) -> bool:
    """Return whether a release's `istioctl analyze` runs the exec plugins in kubeconfigs of remote secrets."""
    numbers, released, _suffix = version_key(istio)
    fixed = {version_key(one)[0][:2]: version_key(one)[0] for one in SAFE_REMOTE_SECRETS}
    if numbers[:2] in fixed:
        return numbers < fixed[numbers[:2]] or (numbers == fixed[numbers[:2]] and not released)
    return numbers[:2] < max(fixed) or not released
