# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The five labs, one after the other on one lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.seed import Seed
from ansible_collections.meshops.istio.tests.support.lab import Lab

Sow = Callable[..., AbstractContextManager[Seed]]


@pytest.fixture(scope="session")
def sown(lab: Lab) -> Sow:
    """Runs a lab's playbook where there is no mesh yet, and takes away what it brought."""

    @contextmanager
    def sow(name: str, namespace: str, **variables: Any) -> Iterator[Seed]:
        seed = Seed(lab, name, namespace, **variables)
        found = seed.kubectl("get", "deployments", "-l", "app=istiod", "-o", "name", namespace="istio-system")
        if found:
            pytest.fail("The lab has a mesh already, which the five labs would change: name another one with LAB.")
        try:
            yield seed
        finally:
            seed.remove()

    return sow
