# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile of minikube, by a program that gives the answers of minikube 1.36 and takes down what it was asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.minikube import tunnel
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run

PROGRAM = """#!{python}
import json, pathlib, signal, sys
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with (folder / "asked").open("a") as file:
    file.write(" ".join(words) + "\\n")
answers = json.loads((folder / "answers").read_text())
output, code = answers.get(words[0], ["", 0])
if words[0] == "start" and "--dry-run" not in words and code == 0:
    answers["profile"] = answers["after"]
    (folder / "answers").write_text(json.dumps(answers))
if words[0] in ("tunnel", "service") and code == 0:
    print(output, flush=True)
    output = ""
    try:
        signal.pause()
    except KeyboardInterrupt:
        with (folder / "asked").open("a") as file:
            file.write("closed\\n")
print(output)
sys.exit(code)
"""
NO_DOCKER = {
    "name": "PROVIDER_DOCKER_NOT_RUNNING",
    "message": '"docker version" exit status 1: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is'
    " the docker daemon running?",
    "advice": "Start the Docker service",
    "exitcode": "63",
}


def event(kind: str, **data: str) -> str:
    return json.dumps({"specversion": "1.0", "type": f"io.k8s.sigs.minikube.{kind}", "data": data})


def profiles(*valid: dict[str, Any], invalid: tuple[str, ...] = ()) -> list[Any]:
    return [json.dumps({"valid": valid, "invalid": [{"Name": name} for name in invalid]}), 0]


def profile(*, status: str = "OK", **config: Any) -> dict[str, Any]:
    node = {"Name": "", "IP": "192.168.49.2"}
    kubernetes = {"KubernetesVersion": "v1.33.1"}
    default = {"CPUs": 2, "Memory": 4096, "Driver": "docker", "Nodes": [node], "KubernetesConfig": kubernetes}
    return {"Name": "mesh", "Status": status, "Config": {**default, "RegistryMirror": None, **config}}


class Program:
    """The program of one test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "minikube"
        self._folder = folder
        self.path.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)
        self.answers: dict[str, Any] = {
            "version": ['{"minikubeVersion": "v1.36.0"}', 0],
            "profile": profiles(),
            "after": profiles(profile()),
            "ip": ["192.168.49.2", 0],
        }

    def write(self) -> None:
        (self._folder / "answers").write_text(json.dumps(self.answers))

    def asked(self, command: str) -> list[str]:
        lines = (self._folder / "asked").read_text().splitlines()
        return [line for line in lines if line.partition(" ")[0] == command]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def minikube(run_module: Run, program: Program, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs the module with the program's answers."""

    def run(**options: Any) -> dict[str, Any]:
        program.write()
        return run_module(
            "minikube",
            program=str(program.path),
            kubeconfig=str(tmp_path / "kubeconfig"),
            **{"driver": "docker", **options},
        )

    return run


Minikube = Callable[..., dict[str, Any]]


def test_a_cluster_is_made_once(minikube: Minikube, program: Program, tmp_path: Path) -> None:
    made = minikube(kubernetes_version="1.33.1", registry_mirrors=["https://mirror.example.com"])
    assert (made["changed"], made["context"], made["ip"], made["version"]) == (True, "mesh", "192.168.49.2", "1.36.0")
    assert made["kubeconfig"] == str(tmp_path / "kubeconfig")
    assert program.asked("start") == [
        "start --interactive=false --keep-context --cpus=2 --memory=4096mb --nodes=1 --driver=docker"
        " --kubernetes-version=v1.33.1 --registry-mirror=https://mirror.example.com --output json --profile mesh"
    ]
    program.answers["profile"] = profiles(profile())
    assert not minikube(kubernetes_version="1.33.1")["changed"]
    assert len(program.asked("start")) == 1


def test_one_that_is_stopped_is_started(minikube: Minikube, program: Program) -> None:
    program.answers["profile"] = profiles(profile(status="Stopped"))
    assert minikube()["changed"]
    assert len(program.asked("start")) == 1


def test_other_settings_are_refused_with_the_difference(minikube: Minikube, program: Program) -> None:
    program.answers["profile"] = profiles(profile(Memory=8192, Driver="kvm2"))
    failed = minikube(cpus=4, kubernetes_version="1.34.0")
    assert has_facts(
        failed["msg"],
        "profile mesh & already exists & cpus 2 instead of 4, memory 8192 instead of 4096, driver kvm2 instead of docker,"
        " Kubernetes version 1.33.1 instead of 1.34.0",
    )
    assert failed["code"] == "refused"
    assert "start" not in "".join(program.asked("start"))


def test_traces_of_a_profile_hinder_nothing(minikube: Minikube, program: Program) -> None:
    program.answers["profile"] = profiles(invalid=("mesh",))
    assert minikube()["changed"]
    program.answers["profile"] = profiles(invalid=("mesh",))
    assert minikube(state="absent")["changed"]


def test_check_mode_asks_minikube_and_makes_nothing(minikube: Minikube, program: Program) -> None:
    assert minikube(check=True)["changed"]
    assert [line for line in program.asked("start") if "--dry-run" not in line] == []
    program.answers["start"] = [event("error", **NO_DOCKER), 63]
    assert minikube(check=True)["details"]["name"] == "PROVIDER_DOCKER_NOT_RUNNING"


def test_no_minikube(run_module: Run) -> None:
    assert has_facts(run_module("minikube", program="no-minikube")["msg"], "no-minikube & not found & install minikube")


def test_a_driver_whose_daemon_is_down(minikube: Minikube, program: Program) -> None:
    program.answers["start"] = [
        event("step", message="Using the docker driver") + "\n" + event("error", **NO_DOCKER),
        63,
    ]
    failed = minikube()
    assert failed["msg"] == (
        '`minikube start` failed: "docker version" exit status 1: Cannot connect to the Docker daemon at'
        " unix:///var/run/docker.sock. Is the docker daemon running? minikube suggests: Start the Docker service."
    )
    assert (failed["code"], failed["details"]) == (
        "minikube_failed",
        {"name": "PROVIDER_DOCKER_NOT_RUNNING", "exit_code": 63},
    )


def test_a_failed_start_tells_what_it_left(
    minikube: Minikube, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.answers["start"] = [event("error", name="GUEST_START", message="It broke"), 80]
    # The profile appears between the two times that it is asked for.
    text = program.path.read_text().replace("and code == 0:\n    answers[", "and True:\n    answers[")
    program.path.write_text(text)
    assert has_facts(minikube()["msg"], "`minikube start` failed: It broke. & `minikube delete -p mesh` & absent")


def test_a_start_that_takes_too_long(minikube: Minikube, program: Program) -> None:
    text = program.path.read_text().replace('words[0] in ("tunnel"', 'words[0] in ("start", "tunnel"')
    program.path.write_text(text)
    assert has_facts(minikube(timeout=1)["msg"], "timed out waiting for `minikube start` & profile mesh & 1 s")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({"profile": "demo"}, False),
        ({"profile": "default"}, False),
        ({"profile": "default", "addons": ["all"]}, True),
        ({"profile": "default", "memory": 2048}, True),
        ({"profile": "demo", "memory": 2048}, False),
    ],
)
def test_too_little_memory_is_warned_of(minikube: Minikube, options: dict[str, Any], *, warned: bool) -> None:
    warnings = minikube(check=True, **options)["warnings"]
    assert ["MiB of memory" in warning for warning in warnings] == ([True] if warned else [])


def test_it_is_removed_once(minikube: Minikube, program: Program) -> None:
    assert not minikube(state="absent")["changed"]
    program.answers["profile"] = profiles(profile())
    assert minikube(state="absent", check=True)["changed"]
    assert minikube(state="absent")["changed"]
    assert program.asked("delete") == ["delete --output json --profile mesh"]


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """The process of a play."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_the_tunnel_closes_with_the_play(
    minikube: Minikube, program: Program, owner: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "_may_route", lambda: True)
    told = minikube(tunnel=True, tunnel_owner=owner.pid)
    assert told["tunnel"]
    assert program.asked("tunnel") == ["tunnel --cleanup --profile mesh"]
    owner.kill()
    owner.wait()
    assert wait_for(lambda: program.asked("closed") == ["closed"])


def wait_for(happened: Callable[[], bool]) -> bool:
    for _ in range(300):
        if happened():
            return True
        time.sleep(0.1)
    return False


def test_a_tunnel_that_is_open_already_is_used(
    minikube: Minikube, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "_may_route", lambda: True)
    program.answers["tunnel"] = ["Another tunnel process is already running, terminate the existing instance", 110]
    assert minikube(tunnel=True, tunnel_owner=os.getpid())["tunnel"]


def test_a_tunnel_that_would_ask_for_a_password(minikube: Minikube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "_may_route", lambda: False)
    assert has_facts(minikube(tunnel=True)["msg"], "sudo would ask for a password & run as root")


def test_a_tunnel_that_does_not_open(minikube: Minikube, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "_may_route", lambda: True)
    program.answers["tunnel"] = ["The cluster is not there", 85]
    assert has_facts(minikube(tunnel=True)["msg"], "tunnel of minikube & The cluster is not there")


GATEWAY = "istio-system/istio-ingressgateway"


def test_urls_hold_until_the_play_ends(
    minikube: Minikube, program: Program, owner: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    program.answers["service"] = ["http://127.0.0.1:49213\nhttp://127.0.0.1:49214\nKeep the terminal open", 0]
    told = minikube(services=[GATEWAY], tunnel_owner=owner.pid)
    assert told["urls"] == {GATEWAY: ["http://127.0.0.1:49213", "http://127.0.0.1:49214"]}
    assert program.asked("service") == ["service istio-ingressgateway --namespace istio-system --url --profile mesh"]
    assert program.asked("closed") == []
    owner.kill()
    owner.wait()
    assert wait_for(lambda: program.asked("closed") == ["closed"])


def test_a_service_that_is_not_there_yet_has_no_urls(minikube: Minikube, program: Program) -> None:
    program.answers["service"] = ["Service 'istio-ingressgateway' was not found", 115]
    assert minikube(services=[GATEWAY])["urls"] == {GATEWAY: []}
    assert minikube(services=[GATEWAY], check=True)["urls"] == {}


def test_urls_that_cannot_be_had_are_one_sentence(minikube: Minikube, program: Program) -> None:
    program.answers["service"] = ["The control plane is not running", 112]
    expected = "`minikube service istio-ingressgateway` failed: The control plane is not running"
    assert minikube(services=[GATEWAY])["msg"] == expected
    assert has_facts(minikube(services=["nonsense"])["msg"], "'nonsense' & invalid & NAMESPACE/NAME")
