#!/usr/bin/env python3
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A recorder that is called like minikube where no driver of it runs, and hands back a lab as the cluster.

Each command line goes to the real program first, which refuses flags that it does not know. Where that can answer
without a driver, it answers: version, profile list, start --dry-run, and what start refuses. For the rest the profile's
lab stands in, and the profile is written in minikube's own form, so that the real program reads it. Every call is a line
of recorded.jsonl in MINIKUBE_HOME.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = CHECKOUT / ".venv" / "bin" / "python"
if PYTHON.exists() and Path(sys.prefix) != PYTHON.parents[1]:
    os.execv(PYTHON, [str(PYTHON), *sys.argv])
sys.path.insert(0, str(CHECKOUT))

import yaml  # noqa: E402

from lab import sources, versions  # noqa: E402
from lab.paths import state_root  # noqa: E402

HOME = Path(os.environ.get("MINIKUBE_HOME") or state_root().parent / "minikube")
# What a driver without its daemon is called, which is where the lab comes in.
NO_DRIVER = ("PROVIDER_", "DRV_NOT_", "DRV_DOCKER_NOT_RUNNING", "DRV_NO_")
# A driver that the real program can look at without one of its own.
LOOKED_AT_AS = ("--driver=ssh", "--ssh-ip-address=127.0.0.1")
# What comes after all other checks, where this is root.
CONTENT_BUT_FOR = "DRV_AS_ROOT"
EVENT = "io.k8s.sigs.minikube."


def main(words: list[str]) -> int:
    HOME.mkdir(parents=True, exist_ok=True)
    record(words)
    real = str(sources.find(["minikube"])["minikube"])
    known = run([real, *words, "--help"])
    if known.returncode:
        sys.stderr.write(known.stdout + known.stderr)
        return known.returncode
    command, flags = words[0], flags_of(words[1:])
    answers = {"start": start, "ip": ip, "delete": delete, "tunnel": tunnel, "update-context": update_context}
    answers["service"] = service
    if command in answers and "dry-run" not in flags:
        return answers[command](real, words, flags)
    done = run([real, *words])
    sys.stderr.write(done.stderr)
    sys.stdout.write(with_status(done.stdout) if words[:2] == ["profile", "list"] else done.stdout)
    return done.returncode


def start(real: str, words: list[str], flags: Mapping[str, str]) -> int:
    """What the real program refuses is refused; where it has no driver, the lab is one."""
    refused = refusal([real, *words, "--dry-run"])
    if refused and refused["name"].startswith(NO_DRIVER):
        plain = [word for word in words if not word.startswith("--driver")]
        refused = refusal([real, *plain, *LOOKED_AT_AS, "--dry-run"])
    if refused and refused["name"] != CONTENT_BUT_FOR:
        tell("error", refused)
        return int(refused["exitcode"])
    name = flags["profile"]
    tell("step", {"message": f"The recorder starts the lab {name} in minikube's place"})
    lab(name, "up", *(["--simulated"] if os.environ.get("RECORDER_SIMULATED") else []))
    write_profile(name, flags)
    write_context(name)
    return 0


def ip(_real: str, _words: list[str], flags: Mapping[str, str]) -> int:
    print(address(flags["profile"]))
    return 0


def delete(_real: str, _words: list[str], flags: Mapping[str, str]) -> int:
    name = flags["profile"]
    lab(name, "down")
    shutil.rmtree(profile_folder(name), ignore_errors=True)
    with kubeconfig() as content:
        for kind in ("clusters", "users", "contexts"):
            content[kind] = [entry for entry in content.get(kind) or () if entry["name"] != name]
    tell("info", {"message": f'Removed all traces of the "{name}" cluster.'})
    return 0


def update_context(_real: str, _words: list[str], flags: Mapping[str, str]) -> int:
    write_context(flags["profile"])
    return 0


def tunnel(_real: str, _words: list[str], flags: Mapping[str, str]) -> int:
    """Opens nothing, because a lab's load balancers have addresses; is there until it is interrupted."""
    with (HOME / f"{flags['profile']}.tunnel").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Another tunnel process is already running, terminate the existing instance to start a new one")
            return 110
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        record(["tunnel closed", flags["profile"]])
    return 0


def service(_real: str, words: list[str], flags: Mapping[str, str]) -> int:
    """The node's address with each node port, as where a driver's nodes are reached."""
    name, profile = words[1], flags["profile"]
    path = lab(profile, "kubeconfig")
    ports = "{range .spec.ports[*]}{.nodePort}{' '}{end}".replace("'", '"')
    kubectl = [str(Path(path).parent / "bin" / "kubectl"), "--kubeconfig", path, "--namespace", flags["namespace"]]
    done = run([*kubectl, "get", "service", name, "--output", f"jsonpath={ports}"])
    if done.returncode:
        print(f"Service '{name}' was not found in '{flags['namespace']}' namespace.", file=sys.stderr)
        return 115
    for port in done.stdout.split():
        print(f"http://{address(profile)}:{port}")
    return 0


# --- what the real program is told and asked


def refusal(command: list[str]) -> dict[str, str] | None:
    """The error that a command of the real program ends with, none where it is content."""
    done = run(command)
    errors = [
        event["data"]
        for line in done.stdout.splitlines()
        if line.startswith("{") and (event := json.loads(line))["type"] == f"{EVENT}error"
    ]
    if done.returncode and not errors:
        sys.exit(f"minikube gave no reason for exit code {done.returncode}: {done.stdout}{done.stderr}")
    return errors[-1] if done.returncode else None


def with_status(answer: str) -> str:
    """The real program's list of profiles; the status, which it would ask the driver for, is the lab's."""
    profiles = json.loads(answer)
    for profile in profiles["valid"]:
        there = run([sys.executable, "-m", "lab", "--lab", profile["Name"], "kubeconfig"]).returncode == 0
        profile["Status"] = "OK" if there else "Stopped"
    return json.dumps(profiles)


def write_profile(name: str, flags: Mapping[str, str]) -> None:
    version = flags.get("kubernetes-version") or f"v{versions.KUBERNETES}"
    node = {"Name": "", "IP": address(name), "Port": 6443, "KubernetesVersion": version, "ControlPlane": True}
    config = {
        "Name": name,
        "Memory": int(flags.get("memory", "4096mb").removesuffix("mb")),
        "CPUs": int(flags.get("cpus", 2)),
        "Driver": flags.get("driver", "docker"),
        "RegistryMirror": [flags["registry-mirror"]] if "registry-mirror" in flags else [],
        "KubernetesConfig": {"KubernetesVersion": version, "ClusterName": name, "ContainerRuntime": "containerd"},
        "Nodes": [node] * int(flags.get("nodes", 1)),
    }
    folder = profile_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))


def profile_folder(name: str) -> Path:
    home = HOME if HOME.name == ".minikube" else HOME / ".minikube"
    return home / "profiles" / name


# --- the lab


def lab(name: str, *words: str) -> str:
    done = run([sys.executable, "-m", "lab", "--lab", name, *words])
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.strip()


def lab_kubeconfig(name: str) -> dict[str, Any]:
    content = yaml.safe_load(Path(lab(name, "kubeconfig")).read_text())
    assert isinstance(content, dict)
    return content


def address(name: str) -> str:
    return urlsplit(lab_kubeconfig(name)["clusters"][0]["cluster"]["server"]).hostname or ""


def write_context(name: str) -> None:
    """Lay the lab's cluster and user into the kubeconfig under the profile's name."""
    given = lab_kubeconfig(name)
    with kubeconfig() as content:
        for kind, key in (("clusters", "cluster"), ("users", "user")):
            others = [entry for entry in content.get(kind) or () if entry["name"] != name]
            content[kind] = [*others, {"name": name, key: given[kind][0][key]}]
        others = [entry for entry in content.get("contexts") or () if entry["name"] != name]
        content["contexts"] = [*others, {"name": name, "context": {"cluster": name, "user": name}}]


@contextlib.contextmanager
def kubeconfig() -> Iterator[dict[str, Any]]:
    """The content of the kubeconfig that minikube would write to, written when it was changed."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(named or Path.home() / ".kube" / "config")
    content = (yaml.safe_load(path.read_text()) if path.exists() else None) or {"apiVersion": "v1", "kind": "Config"}
    yield content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content))


# --- the rest


def record(words: list[str]) -> None:
    with (HOME / "recorded.jsonl").open("a") as file:
        file.write(json.dumps(words) + "\n")


def tell(kind: str, data: Mapping[str, str]) -> None:
    print(json.dumps({"specversion": "1.0", "type": EVENT + kind, "data": data}), flush=True)


def flags_of(words: list[str]) -> dict[str, str]:
    """Flags by name; those with a value are given as --name=value, some also as two words."""
    joined = " ".join(words).replace("--profile ", "--profile=").replace("--namespace ", "--namespace=").split()
    return {name: value for name, _, value in (word[2:].partition("=") for word in joined if word.startswith("--"))}


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MINIKUBE_HOME": str(HOME)}
    return subprocess.run(words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
