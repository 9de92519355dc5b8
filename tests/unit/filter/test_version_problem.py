# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that do not go together are told before there is a cluster; and what is not installed, before it is needed."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.filter.not_importable import not_importable
from ansible_collections.meshops.istio.plugins.filter.version_problem import version_problem
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def test_an_old_kubernetes_is_told() -> None:
    assert has_facts(
        version_problem("1.28.3", "1.29.1"), "Istio 1.29.1 & Kubernetes & 1.31 to 1.35 & 1.28.3 & older Istio"
    )


@pytest.mark.parametrize(
    ("kubernetes", "istio"), [("1.34.3", "1.29.1"), ("1.40.0", "1.29.1"), ("", "1.29.1"), ("1.20", "")]
)
def test_what_is_fit_or_unknown_is_no_problem(kubernetes: str, istio: str) -> None:
    assert version_problem(kubernetes, istio) == ""


def test_what_is_wanted_at_least() -> None:
    minimum = {"istio": "1.22.0", "kubernetes": "1.27.0"}
    assert version_problem("1.27.0", "1.22.0", minimum) == ""
    assert version_problem("1.26.9", "", minimum).startswith("Kubernetes 1.26.9 is older than 1.27.0")
    assert version_problem("1.34.0", "1.21.6", minimum).startswith("Istio 1.21.6 is older than 1.22.0")


def test_modules_that_are_not_there() -> None:
    names = ["json", "nowhere", "nowhere.at.all", "json.nothing"]
    assert not_importable(names) == ["nowhere", "nowhere.at.all", "json.nothing"]
