# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a removal of one of two control planes leaves, and says that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.kube.api_server import ApiServer
from ansible_collections.meshops.istio.tests.support.memory_cluster import injector, make
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

DEPLOYMENTS = "/apis/apps/v1/namespaces/istio-system/deployments"
DAEMON_SETS = "/apis/apps/v1/namespaces/istio-system/daemonsets"
INJECTORS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


def of(revision: str, component: str, **more: str) -> dict[str, str]:
    owner = {"install.operator.istio.io/owning-resource-namespace": "istio-system"}
    return {"istio.io/rev": revision, "operator.istio.io/component": component, **owner, **more}


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A cluster with the control planes blue and green, an agent on the nodes, and a namespace of each."""
    with ApiServer() as server:
        for name, labels in {
            "istio-system": {},
            "kube-system": {},
            "shop": {"istio.io/rev": "green"},
            "legacy": {"istio.io/rev": "blue"},
        }.items():
            server.put(f"/api/v1/namespaces/{name}", make("Namespace", name, labels=labels))
        for revision in ("blue", "green"):
            name = f"istiod-{revision}"
            labels = of(revision, "Pilot", app="istiod")
            server.put(
                f"{DEPLOYMENTS}/{name}", make("Deployment", name, "istio-system", api="apps/v1", labels=labels, spec={})
            )
            webhook = injector(revision)
            webhook["metadata"]["labels"].update(of(revision, "Pilot"))
            server.put(f"{INJECTORS}/{webhook['metadata']['name']}", webhook)
        agent = make("DaemonSet", "istio-cni-node", "istio-system", api="apps/v1", labels=of("blue", "Cni"), spec={})
        server.put(f"{DAEMON_SETS}/istio-cni-node", agent)
        yield server


def uninstall(api: ApiServer, folder: Path, **variables: Any) -> Run:
    given = {
        "mesh_host": api.url,
        "mesh_api_key": "x",
        "mesh_revision": "blue",
        "mesh_uninstall_confirm": True,
        "mesh_inject_namespaces": "shop, legacy",
        "mesh_applications": [{"name": "web", "namespace": "shop"}],
        "mesh_wait": False,
        **variables,
    }
    return run_playbook("meshops.istio.uninstall", hosts={"one": given}, folder=folder, home=folder)


def deleted(api: ApiServer) -> set[str]:
    return {write.rpartition("/")[2] for write in api.writes if write.startswith("DELETE")}


def test_what_belongs_to_the_other_one_stays_and_is_named(api: ApiServer, tmp_path: Path) -> None:
    run = uninstall(api, tmp_path)
    assert run.returncode == 0, run.text
    assert {"istiod-blue", "istio-sidecar-injector-blue"} <= deleted(api)
    assert not {name for name in deleted(api) if "green" in name or name == "istio-cni-node"}
    changed = {write for write in api.writes if write.startswith("PATCH /api/v1/namespaces/")}
    assert changed == {"PATCH /api/v1/namespaces/legacy"}
    kept = " ".join(line for line in run.summary if line.startswith("kept"))
    words = ("applications web", "mesh_uninstall_applications", "namespaces shop", "green", "istio-cni-node")
    assert [word for word in words if word not in kept] == [], run.summary


def test_the_last_one_takes_everything_along(api: ApiServer, tmp_path: Path) -> None:
    for path in (f"{DEPLOYMENTS}/istiod-green", f"{INJECTORS}/istio-sidecar-injector-green"):
        api.remove(path)
    run = uninstall(api, tmp_path)
    assert run.returncode == 0, run.text
    assert {"istiod-blue", "istio-cni-node"} <= deleted(api)
    assert "PATCH /api/v1/namespaces/shop" in api.writes
    assert not [line for line in run.summary if line.startswith("kept")]


@pytest.mark.parametrize("others", ["green stays", "none stays"])
@pytest.mark.parametrize("names", ["grafna", ["zipkin", "grafna"]])
def test_an_addon_that_nobody_has_is_refused(names: Any, others: str, api: ApiServer, tmp_path: Path) -> None:
    if others == "none stays":
        api.remove(f"{DEPLOYMENTS}/istiod-green")
    run = uninstall(api, tmp_path, mesh_uninstall_addons=names)
    assert (run.returncode, api.writes) == (2, [])
    assert "grafna" in run.failures["one"]
    assert "mesh_uninstall_addons" in run.failures["one"]


@pytest.mark.parametrize("purge", [True, False])
def test_what_is_marked_stays_and_is_named(purge: bool, api: ApiServer, tmp_path: Path) -> None:
    name = "istio-sidecar-injector-blue"
    marked = injector("blue")
    marked["metadata"]["labels"].update(of("blue", "Pilot"))
    marked["metadata"]["annotations"] = {"meshops.istio/prune": "disabled"}
    api.put(f"{INJECTORS}/{name}", marked)
    run = uninstall(api, tmp_path, mesh_purge=purge)
    assert run.returncode == 0, run.text
    assert "istiod-blue" in deleted(api)
    assert name not in deleted(api)
    kept = [line for line in run.summary if line.startswith("kept")]
    assert [line for line in kept if name in line and "meshops.istio/prune" in line], run.summary
    assert bool([line for line in kept if "istio-cni-node" in line]) is not purge


def test_an_application_that_nobody_describes_is_refused(api: ApiServer, tmp_path: Path) -> None:
    run = uninstall(api, tmp_path, mesh_uninstall_applications="wbe")
    assert (run.returncode, api.writes) == (2, [])
    assert "wbe" in run.failures["one"]
