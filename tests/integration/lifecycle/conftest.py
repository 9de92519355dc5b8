# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh that comes and goes: each test begins and ends on a cluster without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run

PATIENCE = 120.0
"""Seconds for what istiod does by itself: a few on an idle machine."""


@pytest.fixture
def plane(lab: Lab) -> dict[str, Any]:
    """The options of the smallest control plane."""
    return {**lab.control_plane, "profile": "minimal"}


@pytest.fixture(autouse=True)
def _empty(run: Run) -> Iterator[None]:
    def clean() -> None:
        run("control_plane", state="absent", purge=True, purge_root_key=True, force=True)

    clean()
    yield
    clean()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Ask until the answer is something, which is returned."""

    def ask(question: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not (answer := question()):
            assert time.monotonic() < deadline, "it does not come"
            time.sleep(0.2)
        return answer

    return ask
