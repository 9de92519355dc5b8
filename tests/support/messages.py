# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare messages by their facts (kind, name, cause, remedy), so that they can be reworded."""

from __future__ import annotations

import re

SEPARATOR = " & "
"""Separates facts."""


def has_facts(message: object, facts: str) -> bool:
    """Return whether a message has all facts, such as `Gateway shop/gate & not found`, in any order and case."""
    return re.search(facts_pattern(facts), str(message)) is not None


def facts_pattern(facts: str) -> str:
    """Return the facts as a pattern for `pytest.raises(match=...)`."""
    return "(?is)" + "".join(rf"(?=.*{re.escape(fact)})" for fact in facts.split(SEPARATOR))
