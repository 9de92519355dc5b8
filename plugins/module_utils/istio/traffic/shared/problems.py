# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against a plan, found by looking at the cluster before the first write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ....kube.errors import Refused


@dataclass(frozen=True)
class Problem:
    """One sentence that says what, where and what to do. Only a `fatal` one stands in the way."""

    message: str
    code: str = "refused"
    fatal: bool = True
    details: dict[str, Any] = field(default_factory=dict)


def settle(problems: Iterable[Problem], *, force: bool) -> list[str]:
    """The sentences to warn with. Raises Refused for the first fatal problem, unless `force`; its details name all."""
    found = list(problems)
    fatal = [problem for problem in found if problem.fatal]
    if fatal and not force:
        first = fatal[0]
        raise Refused(first.message, code=first.code, **first.details, problems=[problem.message for problem in fatal])
    return [problem.message for problem in found]
