# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings of the API server: each once, printable, and not without an end."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import warnings as api_warnings
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.warnings import ApiWarnings
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ('299 - "v1 Endpoints is deprecated"', ["v1 Endpoints is deprecated"]),
        (r'299 - "unknown field \"spec.replicsa\""', ['unknown field "spec.replicsa"']),
        ('299 - "one", 299 - "two"', ["one", "two"]),
        ('299 - "a\x1b[31mred\x07"', [r"a\x1b[31mred\x07"]),
        ('199 - "of a proxy"', []),
        ("nonsense", []),
    ],
)
def test_a_header_is_read_as_kubectl_reads_it(header: str, texts: list[str]) -> None:
    warnings = ApiWarnings()
    warnings.add([header, header])
    assert warnings.texts() == texts


def test_neither_their_number_nor_their_length_is_without_an_end() -> None:
    warnings = ApiWarnings()
    for number in range(api_warnings.MOST + 7):
        warnings.add([f'299 - "{number} {"x" * 2000}"'])
    texts = warnings.texts()
    assert len(texts) == api_warnings.MOST + 1
    assert "7 more" in texts[-1]
    assert max(map(len, texts)) <= api_warnings.LONGEST + 1


def test_those_of_all_answers_are_kept(api: ApiServer, cluster: Cluster) -> None:
    api.fault = lambda request: (
        Answer(200, request.body, {"Warning": '299 - "would violate PodSecurity"'})
        if request.method == "PATCH"
        else None
    )
    cluster.apply(config_map("a"), manager="meshops.istio/test", dry_run=True)
    cluster.apply(config_map("b"), manager="meshops.istio/test")
    assert cluster.warnings == ["would violate PodSecurity"]
