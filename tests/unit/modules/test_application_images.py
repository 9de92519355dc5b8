# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of a sample's images, which differs between releases: mirrors for it, and its retirement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

IMAGE = "registry.istio.io/release/examples-helloworld-v1:1.0"


@pytest.fixture
def options(made: MadeRelease) -> dict[str, Any]:
    labels = {"app": "helloworld"}
    containers = [{"name": "helloworld", "image": IMAGE}]
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "helloworld"}}
    made.write("samples/helloworld/helloworld.yaml", json.dumps({**head, "spec": spec}))
    release = {"version": "1.29.1", "source": [str(made.root)], "sample": "helloworld"}
    return {"name": "hello", "namespace": "shop", "wait": False, **release}


def image_in(api: ApiServer) -> str:
    found = api.get("/apis/apps/v1/namespaces/shop/deployments/helloworld")
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def test_images_in_a_registry_that_is_retired_are_warned_of(api: ApiServer, on_api: Run, options: Any) -> None:
    (warning,) = on_api("application", **options)["warnings"]
    assert has_facts(warning, "registry.istio.io/release & retired in 2026-12 & docker.io/istio")
    assert image_in(api) == IMAGE
    mirrors = {"registry.istio.io/release/": "docker.io/istio/"}
    assert on_api("application", **options, mirrors=mirrors)["warnings"] == []
    assert image_in(api) == "docker.io/istio/examples-helloworld-v1:1.0"


def test_mirrors_that_a_sample_has_none_of_are_refused(api: ApiServer, on_api: Run, options: Any) -> None:
    refused = on_api("application", **options, mirrors={"docker.io/": "registry.example.com/hub/"})
    assert (refused["code"], api.writes) == ("invalid_input", [])
    assert has_facts(refused["msg"], f"docker.io/ & {IMAGE} & registry.istio.io/release/")
