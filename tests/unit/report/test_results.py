# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results that a playbook hands over to reports in another shape than they have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import summary
from ansible_collections.meshops.istio.plugins.plugin_utils.report.machine import as_json, as_junit
from ansible_collections.meshops.istio.plugins.plugin_utils.report.page import as_markdown
from ansible_collections.meshops.istio.plugins.plugin_utils.report.results import readable_results


@pytest.mark.parametrize(
    "result",
    [
        None,
        "x",
        {"checks": "none"},
        {"checks": [{"name": "a"}], "changes": [{}], "planned": True},
        {"gateways": [{"urls": ["x"]}, "x"], "namespaces": [{"injector": "default", "pods": "2"}], "dashboards": []},
        {"error": "It failed."},
        {"control_planes": [{}], "workloads": [{"missing": "2"}], "unlabelled": [{"labels": "x"}], "checks": []},
    ],
)
def test_every_report_can_be_made_of_it(result: Any) -> None:
    results = readable_results({"one": result})
    for make in (as_json, as_junit, as_markdown):
        assert "one" in make(results)
    assert summary(results, 10)


def test_a_result_that_is_as_it_should_be_stays_as_it_is() -> None:
    checks = [{"name": "a", "ok": True, "cause": ""}]
    changes = [{"action": "create", "api_version": "v1", "kind": "Service", "namespace": "shop", "name": "web"}]
    given = {"a": {"server": "https://a", "checks": checks, "changes": changes, "planned": False}}
    assert readable_results(given) == given
