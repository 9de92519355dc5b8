# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The version of a Kubernetes API server."""

from __future__ import annotations

from typing import NamedTuple


class Version(NamedTuple):
    """A Kubernetes version; `git` is the full version, such as `v1.35.4`."""

    major: int
    minor: int
    git: str

    def __str__(self) -> str:
        return self.git.removeprefix("v")
