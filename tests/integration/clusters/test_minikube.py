# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What minikube's own program says, with no cluster: the flags that it knows, and the settings that it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.minikube.profile import Settings
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook

from lab import sources

RECORDER = Path(__file__).parents[2] / "minikube" / "recorder.py"

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "absent": (
        {"cluster_minikube_program": "no-minikube"},
        "Program no-minikube not found on this machine.",
    ),
    "driver": (
        {"cluster_minikube_driver": "nonsense"},
        "`minikube start` failed: The driver 'nonsense' is not supported on linux/",
    ),
    "memory": (
        {"cluster_minikube_driver": "none", "cluster_minikube_memory": 1000},
        "`minikube start` failed: Requested memory allocation 1000MiB is less than the usable minimum of 1800MB.",
    ),
    "version": (
        {"cluster_minikube_driver": "none", "cluster_kubernetes_version": "1.3.1"},
        "`minikube start` failed: Kubernetes 1.3.1 is not supported by this release of minikube.",
    ),
    # A program that is not there, or one whose daemon is down, as the machine has it.
    "daemon": ({"cluster_minikube_driver": "podman"}, "`minikube start` failed: "),
}


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's profiles are none of a test's business."""
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def real() -> str:
    return str(sources.find(["minikube"])["minikube"])


@pytest.fixture(scope="module")
def run(real: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run, in which each host has its own bad variables."""
    folder = tmp_path_factory.mktemp("minikube")
    common = {"cluster_provider": "minikube", "cluster_minikube_program": real}
    hosts = {name: {**common, "cluster_name": name, **variables} for name, (variables, _) in BAD.items()}
    return run_playbook("meshops.istio.cluster", hosts=hosts, folder=folder, home=folder)


@pytest.mark.parametrize("name", BAD)
def test_what_minikube_refuses_is_one_sentence(run: Run, name: str) -> None:
    assert run.failures[name].startswith(BAD[name][1])


def test_too_little_memory_is_warned_of(run: Run) -> None:
    text = " ".join(run.text.split())
    assert has_facts(text, "1000 MiB of memory & the profile default needs about")


def test_minikube_knows_every_flag(real: str) -> None:
    settings = Settings(2, 4096, 2, "docker", "1.33.1", ["https://mirror.example.com"])
    assert help_of(real, "start", *settings.flags(), "--dry-run", "--output", "json").returncode == 0
    assert help_of(real, "tunnel", "--cleanup", "--profile", "mesh").returncode == 0
    assert help_of(real, "delete", "--output", "json", "--profile", "mesh").returncode == 0


def test_the_recorder_takes_only_what_minikube_takes(
    real: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIKUBE_HOME", str(tmp_path))
    refused = subprocess.run(
        [RECORDER, "ip", "--nonsense", "--profile", "mesh"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "unknown flag: --nonsense" in refused.stderr) == (14, True)
    assert (tmp_path / "recorded.jsonl").read_text() == '["ip", "--nonsense", "--profile", "mesh"]\n'


def help_of(real: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([real, *words, "--help"], capture_output=True, text=True, check=False)
