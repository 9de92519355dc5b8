# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath conditions for an object, by which users define what to wait for."""

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
    """Return a function that evaluates a JMESPath expression for an object: `current` if it is true.

    False, null, zero and empty values are false. Raises InvalidInput for an invalid expression, here or, for an unknown
    function, on evaluation.
    """
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        raise _invalid(expression, error) from error

    def judge(obj: Mapping[str, Any]) -> Status:
        try:
            value = compiled.search(obj)
        except JMESPathTypeError:
            # Functions reject null, the value of a field that the controller has not set yet.
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
        f"The condition {expression!r} is invalid: {problem.rstrip('.')}. Correct the JMESPath expression; literals need"
        " quotes, such as status.phase == 'Running', and numbers backquotes.",
        expression=expression,
    )
