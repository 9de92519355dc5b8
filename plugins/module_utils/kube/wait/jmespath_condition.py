# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions in JMESPath over an object, as users write them to say what they wait for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

try:
    import jmespath
    from jmespath.exceptions import JMESPathError, JMESPathTypeError
except ImportError:  # reported by module.py before anything here is called
    jmespath = None

from ..errors import InvalidInput
from .status import CURRENT, IN_PROGRESS, Status


def condition(expression: str) -> Callable[[Mapping[str, Any]], Status]:
    """Judges an object by a JMESPath expression: `current` where it yields something.

    False, null, zero and whatever is empty are nothing. Raises InvalidInput for what is not JMESPath, here or, for an
    unknown function, when an object is judged.
    """
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        raise _invalid(expression, error) from error

    def judge(obj: Mapping[str, Any]) -> Status:
        try:
            value = compiled.search(obj)
        except JMESPathTypeError:
            # Functions refuse null, which is what a field is until its controller writes it.
            return Status(IN_PROGRESS, f"{expression} has no value yet")
        except JMESPathError as error:
            raise _invalid(expression, error) from error
        return Status(CURRENT if value else IN_PROGRESS, f"{expression} is {_short(value)}")

    return judge


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _invalid(expression: str, error: Exception) -> InvalidInput:
    problem = (
        " ".join(str(error).split()).partition(", for expression")[0].removeprefix("Invalid jmespath expression: ")
    )
    return InvalidInput(
        f"The condition {expression!r} is not valid JMESPath: {problem.rstrip('.')} "
        "(numbers stand in backquotes and words in single quotes: status.phase == 'Running').",
        expression=expression,
    )
