# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The version of a Kubernetes API server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A Kubernetes version; `git` is the full version, such as `v1.35.4`."""

    major: int
    minor: int
    git: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Version:
        """Return the version in an API server's answer; a number may have a suffix, such as `28+`."""
        major, minor = (re.match(r"\d*", str(answer.get(part, ""))) for part in ("major", "minor"))
        return cls(_number(major), _number(minor), str(answer.get("gitVersion", "")))

    def __str__(self) -> str:
        return self.git.removeprefix("v")


def _number(digits: re.Match[str] | None) -> int:
    return int(digits.group() or 0) if digits else 0
