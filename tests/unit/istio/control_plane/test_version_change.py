# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which changes of version a revision takes in place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.version_change import refuse_unsupported
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.tests.support.memory_cluster import deployment


def planned(installed: str, *, changes: bool = True) -> Any:
    labels = {"operator.istio.io/component": "Pilot", "operator.istio.io/version": installed}
    istiod = deployment("istiod", "istio-system", labels=labels)
    live = {key_of(istiod).identity: istiod} if installed else {}
    return cast(Any, SimpleNamespace(objects=[istiod], live=live, changes=[object()] if changes else []))


@pytest.mark.parametrize(
    ("installed", "version"),
    [("", "1.31.0"), ("1.30.4", "1.31.0"), ("1.31.4", "1.31.0"), ("1.31.0", "1.31.4"), ("unknown", "1.31.0")],
)
def test_one_minor_version_and_any_patch_go(installed: str, version: str) -> None:
    refuse_unsupported(planned(installed), "default", version)


@pytest.mark.parametrize(("installed", "version"), [("1.29.1", "1.31.0"), ("1.31.0", "1.30.4")])
def test_a_skipped_minor_version_and_a_downgrade_are_refused(installed: str, version: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_unsupported(planned(installed), "default", version)
    assert all(fact in refused.value.message for fact in (installed, version, "meshops.istio.upgrade"))
    refuse_unsupported(planned(installed, changes=False), "default", version)
