# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab as a person goes through it: its playbook is run, and what it left is looked at."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ansible_collections.meshops.istio.tests.integration.traffic.traffic import Answer, Door
from ansible_collections.meshops.istio.tests.support.lab import Lab

Object = dict[str, Any]

UPSTREAM = Path(os.environ["UPSTREAM_MANIFESTS"]) if os.environ.get("UPSTREAM_MANIFESTS") else None
"""A copy of the labs' manifests as their authors published them, which is no part of this project."""

NO_COPY = "needs a copy of its authors' manifests: set UPSTREAM_MANIFESTS to the folder that has {}"

_RECAP = re.compile(r"^localhost +: .*changed=(\d+) .*failed=0 ", re.MULTILINE)


class Seed:
    """The playbook `name`, on a lab, with what belongs to it in `namespace`; `variables` are those of all its runs."""

    def __init__(self, lab: Lab, name: str, namespace: str, **variables: Any) -> None:
        self.lab, self.name, self.namespace = lab, name, namespace
        self._variables = variables
        self._programs = Path(lab.kubeconfig).parent / "bin"

    def play(self, *, fails: bool = False, **variables: Any) -> Played:
        """Run the playbook with more variables than the lab's."""
        command = self._command(variables)
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
        played = Played(done.stdout + done.stderr)
        assert (done.returncode != 0) == fails, played.text
        return played

    @contextmanager
    def broken_off(self, **variables: Any) -> Iterator[None]:
        """Run the playbook, and kill it with all that it has begun where the context ends."""
        begun = subprocess.Popen(
            self._command(variables), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        try:
            yield
            assert begun.poll() is None, "the run was over before it was broken off"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(begun.pid, signal.SIGKILL)
            begun.wait()

    def _command(self, variables: Mapping[str, Any]) -> list[str]:
        given = ["-e", f"@{self.lab.variables_file}", "-e", json.dumps({**self._variables, **variables})]
        return ["ansible-playbook", f"meshops.istio.{self.name}", *given]

    def remove(self) -> None:
        """Take away all that the playbook brings."""
        self.play(mesh_state="absent", mesh_uninstall_confirm=True, mesh_purge=True)

    # --- looking ---------------------------------------------------------------------------------------------------

    def kubectl(self, *arguments: str, namespace: str | None = None, check: bool = True) -> str:
        """What kubectl prints; without `check` also what it complains of."""
        return self._run("kubectl", "-n", namespace or self.namespace, *arguments, check=check)

    def get(self, *arguments: str, namespace: str | None = None) -> Object:
        """An object, or a list of them."""
        found: Object = json.loads(self.kubectl("get", *arguments, "-o", "json", namespace=namespace))
        return found

    def istioctl(self, *arguments: str, check: bool = True) -> str:
        """What istioctl prints; without `check` also what it complains of."""
        return self._run("istioctl", *arguments, check=check)

    def execute(self, pod: str, container: str, *command: str, check: bool = True) -> str:
        """What a command prints in a pod's container."""
        return self.kubectl("exec", pod, "-c", container, "--", *command, check=check)

    def pods(self, labels: str = "", namespace: str | None = None) -> list[Pod]:
        """The pods that are not ending."""
        found = self.get("pods", "-l", labels, namespace=namespace)["items"]
        return [Pod(pod) for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def pod(self, labels: str) -> Pod:
        """The only pod with these labels."""
        (found,) = self.pods(labels)
        return found

    def door(self, service: str, port: str, namespace: str | None = None) -> Door:
        """Where a Service's port is reached from here: at its own address, else at the node's."""
        found = self.get("service", service, namespace=namespace)
        entry = next(one for one in found["spec"]["ports"] if one["name"] == port)
        addresses = found.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        if addresses:
            return Door(addresses[0]["ip"], entry["port"])
        return Door(self.node, entry["nodePort"])

    def addon(self, service: str, port: int, path: str) -> str:
        """What an addon answers at a port of its Service, reached by way of the API server as a port-forward is."""
        where = f"/api/v1/namespaces/istio-system/services/{service}:{port}/proxy{path}"
        return self.kubectl("get", "--raw", where)

    def query(self, question: str) -> list[Object]:
        """What Prometheus answers to a query: its results, each with `metric` and `value`."""
        answer = json.loads(self.addon("prometheus", 9090, f"/api/v1/query?{urlencode({'query': question})}"))
        found: list[Object] = answer["data"]["result"]
        return found

    def ask(self, module: str, **options: Any) -> Object:
        """What a module of the collection returns."""
        given = json.dumps({"kubeconfig": self.lab.kubeconfig, **options})
        command = ["ansible", "localhost", "-m", f"meshops.istio.{module}", "-a", given]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        answer: Object = json.loads(done.stdout.partition("=> ")[2])
        return answer

    @property
    def gateway(self) -> Door:
        """The ingress gateway's port named http2."""
        return self.door("istio-ingressgateway", "http2", "istio-system")

    @property
    def node(self) -> str:
        """The address of a node."""
        addresses = self.get("nodes")["items"][0]["status"]["addresses"]
        return next(str(one["address"]) for one in addresses if one["type"] == "InternalIP")

    def _run(self, program: str, *arguments: str, check: bool = True) -> str:
        command = [str(self._programs / program), "--kubeconfig", self.lab.kubeconfig, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout if check else done.stdout + done.stderr


class Played:
    """What a run of a playbook printed."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        match = _RECAP.search(self.text)
        assert match, self.text
        return int(match[1])


class Pod:
    """A pod, and what a person reads of it."""

    def __init__(self, obj: Object) -> None:
        self.object = obj
        self.name = str(obj["metadata"]["name"])
        self.labels: dict[str, str] = obj["metadata"].get("labels") or {}

    @property
    def ready(self) -> str:
        """How many of its containers are ready, as kubectl shows it: native sidecars count."""
        spec, status = self.object["spec"], self.object["status"]
        lasting = [one["name"] for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
        lasting += [one["name"] for one in spec["containers"]]
        statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
        ready = [one["name"] for one in statuses if one["ready"] and one["name"] in lasting]
        return f"{len(ready)}/{len(lasting)}"

    @property
    def images(self) -> dict[str, str]:
        """The image of each container, those that only begin included."""
        return images(self.object)


def images(pod: Object) -> dict[str, str]:
    """The image of each container of a pod, or of a pod's template."""
    spec = pod["spec"]
    return {one["name"]: one["image"] for one in [*spec.get("initContainers", ()), *spec["containers"]]}


def ways(drawn: Object) -> set[tuple[str, str, str]]:
    """The ways of requests that topology_info has found, as (source, target, label)."""
    return {(one["source"], one["target"], one["label"]) for one in drawn["edges"]}


def who(answer: Answer) -> str:
    """What the table says about who answered: the original, or the lab's stand-in for it."""
    name = answer.headers.get("x-stand-in")
    return f"stand-in for {name}" if name else "real"
