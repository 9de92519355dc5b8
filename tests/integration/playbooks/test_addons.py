# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addons by the variables of a site: refused before the first write, brought, kept, shown at a local port, removed.

The tests build on each other in this order.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

Play = Callable[..., Run]

INTERRUPTED = 99
"""The exit code of ansible-playbook itself when it is interrupted."""


@pytest.fixture(scope="module")
def variables(lab: Lab) -> dict[str, Any]:
    return {
        **lab.variables,
        "mesh_ingress_type": "NodePort",
        "mesh_addons": "zipkin",
        "mesh_addons_host": "*",
        "mesh_addons_allow_http": True,
        "mesh_addons_allow_anonymous": ["zipkin"],
        "mesh_addons_tracing": "zipkin",
        "mesh_addons_tracing_sampling": "50",
    }


@pytest.fixture(scope="module")
def play(variables: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Play:
    folder = tmp_path_factory.mktemp("addons")

    def run(name: str, *arguments: str, **others: Any) -> Run:
        return run_playbook(f"meshops.istio.{name}", *arguments, hosts={"one": {**variables, **others}}, folder=folder)

    return run


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"mesh_addons": "jaeger, zipkin"}, "jaeger & zipkin & conflict"),
        ({"mesh_addons": ["mixer"]}, "addon 'mixer' & not found & grafana, jaeger, kiali"),
        ({"mesh_addons_tracing_sampling": "many"}, "mesh_addons_tracing_sampling must be a number"),
    ],
)
def test_a_mistake_is_refused_before_the_first_write(play: Play, lab: Lab, others: dict[str, Any], words: str) -> None:
    begun = now()
    done = play("site", **others)
    assert has_facts(done.failures["one"], words)
    assert lab.writes_since(begun) == 0


def test_a_site_brings_them_and_tells_the_mesh_of_its_tracing(play: Play) -> None:
    done = play("site")
    assert done.returncode == 0, done.text
    (line,) = (line for line in done.summary if line.startswith("addon "))
    found = re.fullmatch(r"addon zipkin (http://\S+/zipkin)", line)
    assert found
    assert headers_of(f"{found[1]}/")["x-stand-in"] == "zipkin-slim"


def test_a_second_run_writes_nothing(play: Play, lab: Lab) -> None:
    begun = now()
    done = play("site")
    assert (done.returncode, done.changed) == (0, {"one": 0})
    assert lab.writes_since(begun) == 0


def test_a_dashboard_ends_cleanly_when_it_is_interrupted(variables: dict[str, Any], tmp_path: Path) -> None:
    given = tmp_path / "site.yml"
    given.write_text(yaml.safe_dump({**variables, "mesh_dashboard": "zipkin", "mesh_dashboard_port": 0}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "meshops.istio.dashboard", "-e", f"@{given}"]
    output = tmp_path / "output"
    # Ignored where the tests run in a shell's background, which a command inherits.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with output.open("w") as file:
        # A group of its own is what a shell gives to a command, and what Ctrl-C reaches.
        shown = subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file, start_new_session=True)
    try:
        url = awaited(output, r"zipkin is available at (http://localhost:\d+/zipkin) until this run is interrupted")
        with urllib.request.urlopen(f"{url}/", timeout=10) as answer:
            assert answer.headers["x-stand-in"] == "zipkin-slim"
        os.killpg(shown.pid, signal.SIGINT)
        assert shown.wait(timeout=30) == INTERRUPTED
    finally:
        shown.kill()
    assert "Traceback" not in output.read_text()
    assert refuses(url), "the module outlives the run"


def headers_of(url: str) -> Message:
    """What answers at a URL, once it does: the gateway hears of a route a moment after it is there."""
    ends = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                headers: Message = answer.headers
                return headers
        except urllib.error.URLError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)


def refuses(url: str) -> bool:
    """Whether nobody listens at a URL any more, or soon."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except ConnectionResetError:
            pass
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return True
        time.sleep(0.5)
    return False


def awaited(output: Path, pattern: str) -> str:
    """What a pattern finds in a file, once it does."""
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        found = re.search(pattern, output.read_text())
        if found:
            return found[1]
        time.sleep(0.5)
    pytest.fail(output.read_text())


def test_they_go_with_the_mesh(play: Play) -> None:
    done = play("uninstall", mesh_uninstall_confirm=True)
    assert done.returncode == 0, done.text
    text = " ".join(done.summary)
    assert "control plane none" in text
    assert "addon " not in text
