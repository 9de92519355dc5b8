# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connecting to a test's API server, and how that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer, Request

SECRET = "swordfish"


def connect(**options: Any) -> Cluster:
    return Cluster.connect(options, user_agent="meshops.istio/1.2.3")


def refusal(**options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        connect(**options)
    assert "\n" not in caught.value.message
    assert SECRET not in caught.value.message
    return caught.value.message


def kubeconfig(server: str, user: dict[str, Any] | None = None, name: str = "dev", **cluster: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, **cluster}}],
        "users": [{"name": f"{name}-user", "user": user or {"token": SECRET}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"{name}-user"}}],
        "current-context": name,
    }


def written(path: Path, content: dict[str, Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return str(path)


def seen(api: ApiServer, cluster: Cluster) -> Request:
    """The request of a cluster that asks for the server's version."""
    cluster.version()
    return api.requests[-1]
