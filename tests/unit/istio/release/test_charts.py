# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the charts of a release contain: their registry, and the kinds of their CRDs."""

from __future__ import annotations

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.charts import chart_hub, defined_resources
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

VALUES = """
  hub: ""
  tag: ""
_internal_defaults_do_not_set:
  global:
    # Default hub for Istio images.
    hub: registry.istio.io/release
    tag: 1.30.4
"""
DEFINITIONS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  labels:
    chart: istio
  name: {}
spec:
  names:
    plural: other
"""


def test_the_hub_of_the_charts(made: MadeRelease) -> None:
    assert chart_hub(made.release) == ""
    made.write("manifests/charts/istio-control/istio-discovery/values.yaml", VALUES)
    assert chart_hub(made.release) == "registry.istio.io/release"


@pytest.mark.parametrize("folder", ["crds", "files"])  # of releases before 1.24, and since
def test_the_kinds_of_a_release(made: MadeRelease, folder: str) -> None:
    assert defined_resources(made.release) == []
    names = ["virtualservices.networking.istio.io", "trafficextensions.extensions.istio.io"]
    made.write(f"manifests/charts/base/{folder}/crd-all.gen.yaml", "---".join(map(DEFINITIONS.format, names)))
    assert defined_resources(made.release) == [
        ("extensions.istio.io", "trafficextensions"),
        ("networking.istio.io", "virtualservices"),
    ]
