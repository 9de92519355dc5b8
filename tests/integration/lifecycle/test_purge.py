# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge takes users' Istio resources along: they are listed and saved first, and what is saved can be applied again."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import (
    Key,
    Kind,
    key_of,
    read_manifests,
)
from ansible_collections.meshops.istio.tests.support.modules import Run

Object = dict[str, Any]

SECRET, DEFINITION = Kind("v1", "Secret"), Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
ROOT_KEY = "istio-ca-secret"


def users_objects(namespace: str) -> list[Object]:
    metadata = {"name": "shop", "namespace": namespace}
    servers = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}]
    gateway = {"selector": {"istio": "ingressgateway"}, "servers": servers}
    return [
        {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": metadata, "spec": gateway},
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": metadata, "spec": {}},
    ]


def test_a_purge_saves_what_users_lose(
    plane: Object,
    run: Run,
    idle: Run,
    cluster: Cluster,
    namespace: str,
    tmp_path: Path,
    eventually: Callable[[Callable[[], Any]], Any],
) -> None:
    run("control_plane", **plane)
    for obj in users_objects(namespace):
        cluster.apply(obj, manager="somebody")
    keys = [key_of(obj) for obj in users_objects(namespace)]
    root_key = eventually(lambda: cluster.get(SECRET, ROOT_KEY, "istio-system"))
    file = tmp_path / "saved.yaml"
    purge = {"state": "absent", "purge": True, "backup": str(file)}

    planned = run("control_plane", check=True, **purge)
    assert {Key(**one) for one in planned["resources"]} == set(keys)
    assert planned["backup_file"] == ""
    assert not file.exists()

    done = run("control_plane", **purge)
    assert (done["resources"], done["backup_file"]) == (planned["resources"], str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one for one in cluster.list(DEFINITION) if one["spec"]["group"].endswith(".istio.io")] == []
    kept = cluster.get(SECRET, ROOT_KEY, "istio-system")
    assert kept is not None
    assert kept["metadata"]["uid"] == root_key["metadata"]["uid"]
    idle("control_plane", **purge)

    # What was saved is all there is to apply once there is a mesh again, which has the key of the first.
    run("control_plane", **plane)
    for obj in read_manifests(file.read_text(encoding="utf-8"), str(file)):
        cluster.apply(obj, manager="somebody")
    for obj, key in zip(users_objects(namespace), keys, strict=True):
        restored = cluster.get(key.of, key.name, key.namespace)
        assert restored is not None
        assert restored.get("spec", {}) == obj["spec"]
    with_key = {"state": "absent", "purge": True, "purge_root_key": True, "backup": str(tmp_path / "again.yaml")}
    run("control_plane", **with_key)
    assert cluster.get(SECRET, ROOT_KEY, "istio-system") is None
