# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of addons with ordinary mistakes, and addons of a release that are odd themselves."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.tests.fuzz.conftest import Try
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken
from ansible_collections.meshops.istio.tests.fuzz.running import cluster_of
from ansible_collections.meshops.istio.tests.fuzz.test_live_objects import mesh_of
from ansible_collections.meshops.istio.tests.unit.istio.addons.conftest import ADDONS
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease
from hypothesis import strategies as st

SETTINGS: dict[str, Any] = {
    "addons": ["kiali", "prometheus", "grafana", "jaeger"],
    "resources": {"prometheus": {"requests": {"cpu": "1", "memory": "1Gi"}}},
    "storage": {"prometheus": {"size": "10Gi", "class": "fast"}, "grafana": "5Gi"},
    "retention": {"prometheus": "7d"},
    "images": {"quay.io/kiali/kiali": "mirror/kiali:v2"},
    "kiali": {"config": {"auth": {"strategy": "token"}}},
    "grafana": {"config": {"a": "b"}},
    "prometheus_url": "http://prometheus:9090",
    "tracing": "zipkin",
    "tracing_sampling": 1.0,
}


def test_settings_of_addons(attempt: Try, tmp_path: Path) -> None:
    made = MadeRelease(tmp_path / "istio-1.29.1")
    made.write("manifest.yaml", "version: 1.29.1\n")

    def check(given: tuple[dict[str, Any], dict[str, Any]]) -> None:
        settings, addons = given
        for name, objects in addons.items():
            made.write(
                f"samples/addons/{name}.yaml",
                "\n---\n".join(map(json.dumps, objects if isinstance(objects, list) else [objects])),
            )
        options = {str(name): value for name, value in settings.items()}
        options.update(version="1.29.1", source=[str(made.root)], wait=False, check=True)
        attempt(cluster_of(mesh_of([])), "addons", **copy.deepcopy(options))

    known = {name: objects for name, objects in ADDONS.items() if "/" not in name}
    odd = st.one_of(
        st.just(known), mistaken(known).filter(lambda one: isinstance(one, dict) and set(one) <= set(known))
    )
    fuzz(
        "settings of addons",
        st.tuples(mistaken(SETTINGS).filter(lambda one: isinstance(one, dict)), odd),
        check,
        share=0.04,
    )
