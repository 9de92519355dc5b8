# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table of what was seen at each step of a suite: a test says which step it is of, and what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Seen = Callable[..., None]

__all__ = ["Seen", "pytest_configure", "pytest_runtest_makereport", "pytest_terminal_summary", "seen"]

_NOT_SEEN = "nothing: see above"


def pytest_configure(config: pytest.Config) -> None:
    """Make known what a test says which step it is."""
    config.addinivalue_line("markers", "step(number, text): the row of the closing table that the test is of")


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Seen:
    """Takes down what was seen at a step, and whether a stand-in showed it."""

    def see(what: object, by: str = "real") -> None:
        record_property("seen", (str(what), by))

    return see


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Hand the step on to the table."""
    report = yield
    marker = item.get_closest_marker("step")
    if marker is not None:
        report.user_properties.append(("step", marker.args))  # type: ignore[attr-defined]
    return report


def _left_out(report: Any) -> str:
    """Why a test was skipped, without the place in the code."""
    return str(report.longrepr[2]).removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table: a row for each test that is of a step, those that failed or were left out too."""
    rows = {}
    for outcome, word in (("passed", "ok"), ("skipped", "LEFT OUT"), ("failed", "FAILED"), ("error", "FAILED")):
        for report in terminalreporter.stats.get(outcome, ()):
            noted = dict(getattr(report, "user_properties", ()))  # a file that cannot be imported has none
            if "step" in noted:
                what, by = noted.get("seen", (_left_out(report) if word == "LEFT OUT" else _NOT_SEEN, ""))
                rows[report.nodeid] = (*noted["step"], word, what, by)
    if rows:
        terminalreporter.section("what was seen")
        width = max(len(number) for number, *_rest in rows.values()) + 2
        for number, text, word, what, by in sorted(rows.values()):
            terminalreporter.write_line(f"{number:{width}}{word:9}{text}: {what}" + (f"  [{by}]" if by else ""))
