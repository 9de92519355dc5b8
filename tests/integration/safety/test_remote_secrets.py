# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kubeconfig in a remote secret names is never run by an analysis, and what it says stays the same."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import istioctl
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

pytestmark = pytest.mark.usefixtures("in_mesh")

SECRETS = Kind("v1", "Secret")
NAME, SYSTEM = "istio-remote-secret-attacker", "istio-system"


def remote_secret(program: Path, *, keys: tuple[str, ...] = ("attacker",), name: str = NAME) -> dict[str, Any]:
    """A remote secret whose kubeconfigs have this program give credentials."""
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "interactiveMode": "Never"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "far", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "far", "user": {"exec": plugin}}],
        "contexts": [{"name": "far", "context": {"cluster": "far", "user": "far"}}],
        "current-context": "far",
    }
    encoded = base64.b64encode(json.dumps(kubeconfig).encode()).decode()
    metadata = {"name": name, "namespace": SYSTEM, "labels": {"istio/multiCluster": "true"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": dict.fromkeys(keys, encoded)}


@pytest.fixture
def attack(tmp_path: Path, cluster: Cluster) -> Iterator[tuple[Path, Path]]:
    """A program, and the file that is there once it has run."""
    program, trace = tmp_path / "attack", tmp_path / "has-run"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n", encoding="utf-8")
    program.chmod(0o755)
    yield program, trace
    for name in (NAME, f"{NAME}-2"):
        with contextlib.suppress(Exception):
            cluster.delete(SECRETS, name, SYSTEM)


@pytest.mark.parametrize("keys", [("attacker",), ("first", "second")])
@pytest.mark.parametrize("scope", [{}, {"namespaces": ["default", SYSTEM]}], ids=["all", "two namespaces"])
@pytest.mark.step("remote 01", "a remote secret whose kubeconfig names a program")
def test_the_program_is_not_run(
    keys: tuple[str, ...],
    scope: dict[str, Any],
    attack: tuple[Path, Path],
    cluster: Cluster,
    run: Run,
    lab: Lab,
    seen: Seen,
) -> None:
    program, trace = attack
    for name in (NAME, f"{NAME}-2"):
        cluster.apply(remote_secret(program, keys=keys, name=name), manager="tests")
    result = run("analysis_info", **lab.release, fail_on="never", **scope)
    assert not trace.exists()
    (warning,) = result["warnings"]
    assert all(part in warning for part in (f"{SYSTEM}/{NAME}", f"{SYSTEM}/{NAME}-2", "1.29.8"))
    seen(f"not run; {len(result['messages'])} messages, and a warning that names what is left out")


@pytest.mark.step("remote 02", "a remote secret that comes and goes while analyses run")
def test_nor_where_the_secret_comes_after_the_analysis_has_begun(
    attack: tuple[Path, Path], cluster: Cluster, run: Run, lab: Lab, seen: Seen
) -> None:
    program, trace = attack
    over, count = threading.Event(), 0

    def come_and_go() -> None:
        nonlocal count
        while not over.is_set():
            cluster.apply(remote_secret(program), manager="tests")
            cluster.delete(SECRETS, NAME, SYSTEM)
            count += 1

    attacker = threading.Thread(target=come_and_go)
    attacker.start()
    try:
        for _again in range(3):
            run("analysis_info", **lab.release, fail_on="never")
    finally:
        over.set()
        attacker.join()
    assert not trace.exists()
    seen(f"not run in 3 analyses, while the Secret came and went {count} times")


@pytest.mark.step("remote 03", "a mesh without remote secrets")
def test_an_ordinary_analysis_says_what_istioctl_says(
    run: Run, lab: Lab, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    shielded = run("analysis_info", **lab.release, fail_on="never")
    monkeypatch.setattr(istioctl, "runs_remote_secrets", lambda _version: False)
    plain = run("analysis_info", **lab.release, fail_on="never")
    assert plain["messages"]
    assert sorted(map(str, shielded["messages"])) == sorted(map(str, plain["messages"]))
    assert shielded["warnings"] == []
    seen(f"{len(plain['messages'])} messages, the same as from istioctl by itself")
