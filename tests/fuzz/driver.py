# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries a check on inputs that hypothesis makes of a seed, and says how to see a failure again."""

from __future__ import annotations

import importlib
import os
import re
import traceback
from collections.abc import Callable
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError

SEED = int(os.environ.get("FUZZ_SEED") or 1)
COUNT = int(os.environ.get("FUZZ_COUNT") or 400)
"""How many inputs all tests have together."""

Check = Callable[[Any], object]
tried: dict[str, int] = {}
"""The inputs so far, by what was tried with them."""


def fuzz(name: str, strategy: Any, check: Check, *, share: float) -> None:
    """Try `check` on `share` of all inputs, of `strategy`. A check raises for what no user may see.

    Goes on after a failure: what is shown in the end is each place in the code, with the shortest input that leads there.
    """
    hypothesis: Any = importlib.import_module("hypothesis")  # which has types only where it is installed
    places: dict[str, tuple[str, str]] = {}

    def attempt(value: Any) -> None:
        tried[name] = tried.get(name, 0) + 1
        before = repr(value)
        try:
            check(value)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a place to mend
            trace = "".join(traceback.format_exception(error))
            place = _place(trace)
            if place not in places or len(before) < len(places[place][0]):
                places[place] = before, trace

    chosen = hypothesis.settings(
        max_examples=max(3, round(COUNT * share)),
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(SEED)(chosen(hypothesis.given(strategy)(attempt)))()
    if places:
        again = f"make fuzz SEED={SEED} COUNT={COUNT}"
        found = [f"{place}\n  input: {value}\n{trace}" for place, (value, trace) in places.items()]
        raise AssertionError(f"{name}: {len(places)} places; see them again by `{again}`\n\n" + "\n\n".join(found))


def _place(trace: str) -> str:
    """The last line of the collection's own in a traceback, and what was raised there."""
    lines = re.findall(r'File "\S*/(plugins/\S+)", line (\d+)', trace)
    raised = trace.strip().rpartition("\n")[2].partition(":")[0]
    return f"{lines[-1][0]}:{lines[-1][1]} {raised}" if lines else raised


def sentence(call: Callable[[], object]) -> None:
    """Call, and want success or one sentence: anything but a MeshError is raised."""
    try:
        call()
    except MeshError as error:
        check_sentence(error.message)


def check_sentence(message: str) -> None:
    """Raise for what is no sentence for a user."""
    assert message.strip(), "the message is empty"
    assert "\n" not in message, message
    assert "Unexpected error" not in message, message
    assert "Traceback" not in message, message
