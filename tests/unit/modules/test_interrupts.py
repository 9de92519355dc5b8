# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interrupted module ends at once, in a process of its own, whatever the API server hangs at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils import interrupts
from ansible_collections.meshops.istio.tests.chaos import module_run
from ansible_collections.meshops.istio.tests.support.kube.api_server import Answer, ApiServer, Request
from ansible_collections.meshops.istio.tests.support.kube.connecting import kubeconfig, written
from ansible_collections.meshops.istio.tests.support.kube.manifests import config_map

LONG = 10.0
"""Seconds that no interrupted run gets near to: one that waits for the API server takes 30 and more."""

APPLICATION = {"name": "web", "namespace": "shop", "definition": [config_map(f"web-{number}") for number in range(9)]}
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(api: ApiServer, tmp_path: Path) -> Iterator[Begin]:
    """Run a module in a process of its own, which does not outlive the test."""
    processes: list[subprocess.Popen[str]] = []
    (tmp_path / "tmp").mkdir()

    def start(module: str, **options: Any) -> subprocess.Popen[str]:
        path = written(tmp_path / "config", kubeconfig(api.url))
        command = [sys.executable, "-m", module_run.__name__, path, module, json.dumps(options), "0", "SIGKILL"]
        surroundings = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def hangs_at(which: Callable[[Request], bool]) -> tuple[Callable[[Request], Answer | None], list[Request]]:
    """A fault: from the first request that is meant on the server says nothing. And the requests that hang."""
    hanging: list[Request] = []

    def fault(request: Request) -> Answer | None:
        if not hanging and not which(request):
            return None
        hanging.append(request)
        return Answer(hangs=True)

    return fault, hanging


@pytest.mark.parametrize(
    ("sign", "module", "options", "which"),
    [
        (signal.SIGTERM, "cluster_info", {}, lambda request: True),
        (signal.SIGINT, "injection_info", {}, lambda request: "/pods" in request.path),
        (signal.SIGTERM, "application", APPLICATION, lambda request: request.path.endswith("/configmaps")),
        (signal.SIGTERM, "application", APPLICATION, lambda request: request.writes and "configmaps" in request.path),
    ],
    ids=["the first contact", "parallel reads", "a plan", "parallel writes under the lock"],
)
def test_an_interrupt_ends_it_while_the_api_server_hangs(
    api: ApiServer,
    begin: Begin,
    tmp_path: Path,
    sign: signal.Signals,
    module: str,
    options: dict[str, Any],
    which: Callable[[Request], bool],
) -> None:
    api.fault, hanging = hangs_at(which)
    process = begin(module, **options)
    deadline = time.monotonic() + 60
    while not hanging and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)  # those that go out beside the first one
    begun = time.monotonic()
    process.send_signal(sign)
    output, _nothing = process.communicate(timeout=60)
    took = time.monotonic() - begun
    assert took < LONG, f"it took {took:.1f} s"
    [result] = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert result["code"] == "interrupted"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_interrupt_that_python_loses_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finalized:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(interrupts, "_AGAIN", 0.1)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    interrupts.end_on_signals()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            monkeypatch.setattr(sys, "unraisablehook", lambda _lost: None)
            Finalized()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(30)
    finally:
        interrupts.ended()
        for number, handler in handlers.items():
            signal.signal(number, handler)
