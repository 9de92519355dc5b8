# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark the tests that run playbooks: seconds each, where the others take milliseconds."""

from __future__ import annotations

import pytest

_RUNNERS = ("run_playbook", "run_program")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and any(hasattr(item.module, name) for name in _RUNNERS):
            item.add_marker(pytest.mark.playbook)
