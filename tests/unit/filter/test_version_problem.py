# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incompatible versions are refused before a cluster exists, and missing Python modules before they are needed."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.filter.not_importable import not_importable
from ansible_collections.meshops.istio.plugins.filter.version_problem import version_problem
from ansible_collections.meshops.istio.tests.support.messages import has_facts


def test_kubernetes_is_too_old_for_istio() -> None:
    assert has_facts(
        version_problem("1.28.3", "1.29.1"), "Istio 1.29.1 & Kubernetes & 1.31 to 1.35 & 1.28.3 & older Istio"
    )


@pytest.mark.parametrize(
    ("kubernetes", "istio"), [("1.34.3", "1.29.1"), ("1.40.0", "1.29.1"), ("", "1.29.1"), ("1.20", "")]
)
def test_supported_and_unknown_versions_are_no_problem(kubernetes: str, istio: str) -> None:
    assert version_problem(kubernetes, istio) == ""


def test_minimum_versions() -> None:
    minimum = {"istio": "1.22.0", "kubernetes": "1.27.0"}
    assert version_problem("1.27.0", "1.22.0", minimum) == ""
    assert has_facts(version_problem("1.26.9", "", minimum), "Kubernetes 1.26.9 & too old & 1.27.0")
    assert has_facts(version_problem("1.34.0", "1.21.6", minimum), "Istio 1.21.6 & too old & 1.22.0")


def test_missing_modules() -> None:
    names = ["json", "nowhere", "nowhere.at.all", "json.nothing"]
    assert not_importable(names) == ["nowhere", "nowhere.at.all", "json.nothing"]
