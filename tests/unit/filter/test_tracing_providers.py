# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mesh is told of a tracing backend."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.meshops.istio.plugins.filter.tracing_providers import tracing_providers


@pytest.mark.parametrize(
    ("name", "version", "kind", "service", "port"),
    [
        ("jaeger", "1.29.1", "opentelemetry", "jaeger-collector", 4317),
        ("jaeger", "1.17.0", "zipkin", "zipkin", 9411),
        ("zipkin", "1.29.1", "zipkin", "zipkin", 9411),
        ("skywalking", "1.29.1", "skywalking", "tracing", 11800),
    ],
)
def test_where_a_backend_of_the_release_is(name: str, version: str, kind: str, service: str, port: int) -> None:
    where = {"service": f"{service}.mesh.svc.cluster.local", "port": port}
    assert tracing_providers(name, "mesh", version) == [{"name": name, kind: where}]


def test_any_other_name_is_left_to_the_user() -> None:
    assert tracing_providers("otel", "istio-system", "1.29.1") == []
    assert tracing_providers("", "istio-system", "1.29.1") == []


def test_without_a_version_it_cannot_be_told() -> None:
    with pytest.raises(AnsibleFilterError, match="needs an Istio version"):
        tracing_providers("jaeger")
