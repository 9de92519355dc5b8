# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failed checks of a plan, found before the first write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ....kube.errors import Refused


@dataclass(frozen=True)
class Problem:
    """A failed check: what failed, where, why and what to do. Only a `fatal` one refuses the plan."""

    message: str
    code: str = "refused"
    fatal: bool = True
    details: dict[str, Any] = field(default_factory=dict)


def refuse_fatal(problems: Iterable[Problem], *, force: bool) -> list[str]:
    """Return the warnings. Raises Refused for the first fatal problem, unless `force`; its details have all of them."""
    found = list(problems)
    fatal = [problem for problem in found if problem.fatal]
    if fatal and not force:
        first = fatal[0]
        raise Refused(first.message, code=first.code, **first.details, problems=[problem.message for problem in fatal])
    return [problem.message for problem in found]
