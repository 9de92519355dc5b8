# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests on a lab share: the lab, which LAB names, its cluster, and modules as they run on it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import DEPLOYMENT, NAMESPACE
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key
from ansible_collections.meshops.istio.plugins.module_utils.kube.progress import silent
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import wait_gone
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT, Lab, now
from ansible_collections.meshops.istio.tests.support.modules import Run, run_module
from ansible_collections.meshops.istio.tests.support.steps import (
    pytest_configure,
    pytest_runtest_makereport,
    pytest_terminal_summary,
    seen,
)

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_terminal_summary", "run_module", "seen"]


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab(os.environ.get("LAB", "default"))


@pytest.fixture(scope="session")
def gateway_api(lab: Lab) -> str:
    """The folder with the Gateway API's CRDs, from the Go module that Istio itself is built with."""
    workspace = f"golang.istio('{lab.version}')"
    where = f"from lab import golang; print(golang.module_folder({workspace}, 'sigs.k8s.io/gateway-api'))"
    found = subprocess.run([sys.executable, "-c", where], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return str(Path(found.stdout.strip()) / "config" / "crd" / "standard")


@pytest.fixture(scope="session")
def cluster(lab: Lab) -> Cluster:
    """The lab's cluster, under a name that is not counted with the modules'."""
    return Cluster.connect({"kubeconfig": lab.kubeconfig}, user_agent="tests")


@pytest.fixture
def run(run_module: Run, lab: Lab) -> Run:
    """Run a module on the lab; `fails` tells whether it is to fail."""

    def run(name: str, /, *, fails: bool = False, **options: Any) -> dict[str, Any]:
        result = run_module(name, **{"kubeconfig": lab.kubeconfig, **options})
        assert bool(result.get("failed")) == fails, result.get("msg")
        return result

    return run


@pytest.fixture
def idle(run: Run, lab: Lab) -> Run:
    """Run a module that has nothing to do: no change is reported, and the API server sees no write."""

    def run_idle(name: str, /, **options: Any) -> dict[str, Any]:
        begun = now()
        result = run(name, **options)
        assert (result["changed"], result.get("changes", [])) == (False, [])
        assert lab.writes_since(begun) == 0
        return result

    return run_idle


@pytest.fixture
def foretold(run: Run, lab: Lab) -> Run:
    """Run a module in check mode, which writes nothing, and then in earnest, which does what was foretold."""

    def run_both(name: str, /, **options: Any) -> dict[str, Any]:
        begun = now()
        planned = run(name, check=True, diff=True, **options)
        assert planned["changed"]
        assert lab.writes_since(begun) == 0
        assert len(planned["diff"]) == len(planned["changes"])
        assert all(one["prepared"] for one in planned["diff"])
        done = run(name, **options)
        assert (done["changed"], done["changes"]) == (True, planned["changes"])
        assert done.get("plan_digest") == planned.get("plan_digest")
        assert lab.writes_since(begun) > 0
        return done

    return run_both


@pytest.fixture
def refused(run: Run, lab: Lab) -> Run:
    """Run a module that has to refuse: in one sentence, and before the first write."""

    def run_refused(name: str, /, **options: Any) -> dict[str, Any]:
        begun = now()
        result = run(name, fails=True, **options)
        assert lab.writes_since(begun) == 0
        assert "\n" not in result["msg"]
        assert "Traceback" not in str(result)
        return result

    return run_refused


@pytest.fixture(scope="session")
def mesh(lab: Lab) -> dict[str, Any]:
    """The options of the control plane that the tests of other modules need."""
    return {**lab.control_plane, "profile": "demo", "ingress": [{"type": "NodePort"}]}


@pytest.fixture
def in_mesh(mesh: dict[str, Any], cluster: Cluster, run: Run) -> None:
    """There is a mesh; one that is there already stays as it is."""
    if not cluster.list(DEPLOYMENT, "istio-system", label_selector="app=istiod"):
        run("control_plane", **mesh)


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"it-{uuid.uuid4().hex[:8]}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.create(manifest, manager="tests")
    yield name
    with contextlib.suppress(Exception):
        cluster.delete(NAMESPACE, name)


@pytest.fixture
def gone(cluster: Cluster) -> Callable[[Key], None]:
    """Wait until an object is gone."""
    return lambda key: wait_gone(cluster, [key], timeout=120, progress=silent)
