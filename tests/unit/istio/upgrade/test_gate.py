# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate of an upgrade: every moved proxy is of the new version, connected and in sync."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade import gate
from ansible_collections.meshops.istio.plugins.module_utils.istio.upgrade.record import Plane
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Unreachable
from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, pod

NEW = Plane("1-31-0", "1.31.0")
ISTIOD = pod("istiod-1-31-0-x", "istio-system", labels={"app": "istiod", "istio.io/rev": NEW.revision})
MOVED = pod("web", proxy=NEW.version, revision=NEW.revision)


def judged(monkeypatch: pytest.MonkeyPatch, reported: Any, *pods: dict[str, Any]) -> str:
    def unacknowledged(*_arguments: Any) -> Any:
        if isinstance(reported, Exception):
            raise reported
        return reported

    monkeypatch.setattr(gate, "unacknowledged", unacknowledged)
    return gate.failure(MemoryCluster(*pods), NEW, ["shop"], patience=0, progress=lambda _line: None)


def test_a_connected_proxy_in_sync_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch, {"web.shop": [["CDS"], []]}, ISTIOD, MOVED) == ""


def test_proxies_of_other_revisions_and_namespaces_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [pod("old", proxy="1.29.1"), pod("far", "cart", proxy=NEW.version, revision=NEW.revision)]
    assert judged(monkeypatch, {"web.shop": [[]]}, ISTIOD, MOVED, *others) == ""


@pytest.mark.parametrize(
    ("reported", "pods", "facts"),
    [
        ({}, [MOVED], ["no pod of istiod", NEW.revision]),
        ({}, [ISTIOD, MOVED], ["shop/web", "not connected"]),
        ({"web.shop": [["RDS"]]}, [ISTIOD, MOVED], ["shop/web", "not in sync"]),
        ({}, [ISTIOD, pod("web", proxy="1.30.4", revision=NEW.revision)], ["shop/web", "1.30.4", NEW.version]),
        (Unreachable("istiod does not answer"), [ISTIOD, MOVED], ["istiod does not answer"]),
    ],
)
def test_what_is_wrong_or_unknown_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, reported: Any, pods: list[dict[str, Any]], facts: list[str]
) -> None:
    found = judged(monkeypatch, reported, *pods)
    assert all(fact in found for fact in facts), found
