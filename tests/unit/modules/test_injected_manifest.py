# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sidecars in manifests: what istioctl is asked, and what comes back."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.meshops.istio.tests.support.memory_cluster import MemoryCluster, deployment, make
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

SERVICE = make("Service", "web")
INJECTED = deployment("web", "", spec={"template": {"spec": {"containers": [{"name": "istio-proxy"}]}}})


def options(made: MadeRelease, **more: Any) -> dict[str, Any]:
    made.write("output", f"{json.dumps(SERVICE)}\n---\n{json.dumps(INJECTED)}\n")
    return {"version": "1.29.1", "source": [str(made.root)], "definition": [SERVICE, deployment("web", "")], **more}


def test_sidecars_are_those_of_the_cluster(on: Run, made: MadeRelease) -> None:
    told = on(MemoryCluster(), "injected_manifest", **options(made, revision="canary"))
    assert told["objects"] == [SERVICE, INJECTED]
    assert told["injected"] == ["Deployment web"]
    (call,) = made.calls
    assert call.startswith("kube-inject --filename ")
    assert call.endswith("--revision canary --istioNamespace istio-system --kubeconfig no-kubeconfig")


def test_what_is_returned_to_be_applied_is_whole_and_shown_nowhere_else(on: Run, made: MadeRelease) -> None:
    secret = make("Secret", "web", stringData={"password": "swordfish"})
    wanted = options(made, definition=[secret])
    made.write("output", json.dumps(secret))
    told = on(MemoryCluster(), "injected_manifest", **wanted)
    assert told["objects"] == [secret]
    assert "swordfish" not in json.dumps({**told, "objects": []})


def test_given_configuration_needs_no_cluster(run_module: Run, made: MadeRelease) -> None:
    given = {"injector_config": "policy: enabled", "mesh_config": "a: b", "injector_values": '{"a": 1}'}
    run_module("injected_manifest", **options(made, **given))
    (call,) = made.calls
    assert "--kubeconfig" not in call
    assert [flag in call for flag in ("--injectConfigFile", "--meshConfigFile", "--valuesFile")] == [True] * 3


def test_half_of_a_configuration_is_refused(run_module: Run, made: MadeRelease) -> None:
    assert run_module("injected_manifest", **options(made, mesh_config="a: b"))["code"] == "invalid_input"


def test_nothing_to_inject_into_is_refused(on: Run, made: MadeRelease) -> None:
    wanted = options(made, definition=["# nothing\n"])
    assert on(MemoryCluster(), "injected_manifest", **wanted)["code"] == "invalid_input"


def test_a_failing_istioctl_is_one_error(on: Run, made: MadeRelease) -> None:
    wanted = options(made)
    made.fails("Error: no injector")
    assert on(MemoryCluster(), "injected_manifest", **wanted)["msg"] == "istioctl kube-inject failed: no injector."
