# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The five labs, one after the other on one lab, and a table of what was seen at each of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.conftest import Lab
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed

Seen = Callable[..., None]

_NOT_SEEN = "nothing: see above"


def pytest_configure(config: pytest.Config) -> None:
    """Make known what a test says which step it is."""
    config.addinivalue_line("markers", "step(number, text): the step of a lab that the test is of")


@pytest.fixture(scope="session")
def sown(lab: Lab) -> Callable[[str, str], AbstractContextManager[Seed]]:
    """Runs a lab's playbook where there is no mesh yet, and takes away what it brought."""

    @contextmanager
    def sow(name: str, namespace: str) -> Iterator[Seed]:
        seed = Seed(lab, name, namespace)
        found = seed.kubectl("get", "deployments", "-l", "app=istiod", "-o", "name", namespace="istio-system")
        if found:
            pytest.fail("The lab has a mesh already, which the five labs would change: name another one with LAB.")
        try:
            yield seed
        finally:
            seed.remove()

    return sow


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


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    rows = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            noted = dict(report.user_properties)
            if "step" in noted:
                number, text = noted["step"]
                what, by = noted.get("seen", (_NOT_SEEN, ""))
                rows[number, text] = ("ok" if outcome == "passed" else "FAILED", what, by)
    if rows:
        terminalreporter.section("the five labs")
        for (number, text), (outcome, what, by) in sorted(rows.items()):
            terminalreporter.write_line(f"{number:8}{outcome:8}{text}: {what}" + (f"  [{by}]" if by else ""))
