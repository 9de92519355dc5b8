# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One lab through its life: it starts, repairs itself, serves, stands beside another, and goes without a trace."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import CHECKOUT, Bench, eventually

NODE_PROCESSES = (
    "containerd",
    "coredns",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
    "local-path-provisioner",
    "metallb-controller",
)

APPLICATION = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello}
spec:
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      containers:
        - name: hello
          image: docker.io/istio/examples-helloworld-v1:1.0
          readinessProbe: {httpGet: {path: /health, port: 5000}, periodSeconds: 1}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: hello}
spec:
  type: LoadBalancer
  selector: {app: hello}
  ports: [{port: 80, targetPort: 5000}]
"""


def fetch(address: str, path: str = "/hello") -> tuple[int, str, str]:
    """Status, stand-in and text of an answer."""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers.get("x-stand-in", ""), response.read().decode()
    finally:
        connection.close()


def answers(address: str) -> bool:
    try:
        return fetch(address)[0] == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def application(bench: Bench) -> str:
    """The LoadBalancer address of an application with a claim."""
    bench.kubectl("apply", "-f", "-", stdin=APPLICATION)
    bench.kubectl("wait", "--for=condition=Available", "deployment/hello", "--timeout=90s")
    service = eventually(lambda: bench.json("service", "hello")["status"]["loadBalancer"].get("ingress"))
    assert isinstance(service, list)
    return str(service[0]["ip"])


def test_the_node_is_ready_and_complete(bench: Bench) -> None:
    (node,) = bench.json("nodes")["items"]
    assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
    assert sorted(bench.processes()) == sorted(NODE_PROCESSES)
    shown = bench.lab("status").stdout
    assert "docker.io/istio/examples-helloworld-v1:1.0" in shown
    assert "stand-in: /hello with version and instance" in shown


def test_up_again_does_nothing(bench: Bench) -> None:
    before = bench.processes()
    assert "nothing was to do" in bench.up()
    assert bench.processes() == before


def test_a_path_is_all_that_is_printed(bench: Bench) -> None:
    for command in ("lab-kubeconfig", "lab-vars"):
        made = subprocess.run(
            ["make", "-s", command, f"LAB={bench.name}", f"LAB_PYTHON={sys.executable}"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert made.stderr == ""
        assert Path(made.stdout.removesuffix("\n")).is_file()


def test_a_claim_binds_and_a_load_balancer_answers(bench: Bench, application: str) -> None:
    assert bench.json("persistentvolumeclaims", "data")["status"]["phase"] == "Bound"
    eventually(lambda: answers(application))
    status, stand_in, text = fetch(application)
    assert (status, stand_in) == (200, "examples-helloworld-v1")
    assert text.startswith("Hello version: v1, instance: hello-")


def test_nobody_answers_on_an_address_that_nobody_has(bench: Bench, application: str) -> None:
    free = f"{bench.network}{250}"
    with pytest.raises(ConnectionRefusedError):
        fetch(free)


def test_names_and_addresses_outside_are_refused_at_once(bench: Bench) -> None:
    pod = ["run", "asker", "--rm", "--stdin", "--restart=Never", "--image=docker.io/curlimages/curl:8.16.0", "--quiet"]
    script = ["--command", "--", "curl", "-sS", "-m", "20", "-w", "took %{time_total}"]
    outside = "http://192.0.2.1/"  # an address of documentation: nobody has it
    done = subprocess.run(
        [bench.kubeconfig.parent / "bin" / "kubectl", "--kubeconfig", bench.kubeconfig, *pod, *script, outside],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "refused" in done.stdout + done.stderr


def test_a_claims_folder_goes_with_it(bench: Bench) -> None:
    bench.kubectl(
        "create", "-f", "-", stdin=APPLICATION.split("---", maxsplit=1)[0].replace("{name: data}", "{name: other}")
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "other"},
        "spec": {
            "containers": [
                {"name": "hello", "image": "docker.io/istio/examples-helloworld-v1:1.0"},
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "other"}}],
            "terminationGracePeriodSeconds": 0,
        },
    }
    bench.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    bench.kubectl("wait", "--for=condition=Ready", "pod/other", "--timeout=60s")
    volumes = bench.kubeconfig.parent / "volumes"
    assert list(volumes.glob("*_default_other"))
    bench.kubectl("delete", "pod/other", "persistentvolumeclaim/other")
    eventually(lambda: not list(volumes.glob("*_default_other")))


def test_writes_are_counted_by_client(bench: Bench) -> None:
    since = str(time.time())
    agent = ["--user-agent", "kubectl", "--since", since]
    assert bench.lab("writes", *agent).stdout == "0\n"
    bench.kubectl("create", "configmap", "counted")
    bench.kubectl("annotate", "configmap", "counted", "a=b", "--dry-run=server")
    bench.kubectl("get", "configmap", "counted")
    bench.kubectl("auth", "can-i", "delete", "pods")
    bench.kubectl("delete", "configmap", "counted")
    assert bench.lab("writes", *agent).stdout == "2\n"
    assert bench.lab("writes", "--user-agent", "nobody", "--since", since).stdout == "0\n"
    verbs = [json.loads(line)["verb"] for line in bench.lab("writes", *agent, "--all", "--list").stdout.splitlines()]
    assert {"create", "patch", "get", "delete"} <= set(verbs)


def test_up_repairs_each_killed_process(bench: Bench, application: str) -> None:
    before = bench.processes()
    for name in NODE_PROCESSES:
        os.kill(before[name], signal.SIGKILL)
        assert f"(started {name})" in bench.up()
        eventually(lambda: answers(application))
    after = bench.processes()
    assert sorted(after) == sorted(before)
    assert not set(after.items()) & set(before.items())


def test_another_process_with_a_recorded_id_is_left_alone(bench: Bench) -> None:
    record = Path(f"/run/meshops-istio/labs/{bench.name}/pids/coredns.json")
    with subprocess.Popen(["sleep", "600"]) as stranger:
        os.kill(bench.processes()["coredns"], signal.SIGKILL)
        known = json.loads(record.read_text())
        record.write_text(json.dumps({**known, "pid": stranger.pid}))
        assert "started coredns" in bench.up()
        assert stranger.poll() is None
        stranger.terminate()


def test_labs_stand_side_by_side(bench: Bench, neighbour: Bench, application: str) -> None:
    assert bench.network != neighbour.network
    neighbour.kubectl("apply", "-f", "-", stdin=APPLICATION.replace("helloworld-v1", "helloworld-v2"))
    neighbour.kubectl("wait", "--for=condition=Available", "deployment/hello", "--timeout=90s")
    other = neighbour.json("service", "hello")["status"]["loadBalancer"]["ingress"][0]["ip"]
    eventually(lambda: answers(other))
    assert "version: v2" in fetch(other)[2]
    assert "version: v1" in fetch(application)[2]
    neighbour.lab("down")
    assert not neighbour.traces()
    assert "version: v1" in fetch(application)[2]


def test_up_after_a_reboot_brings_everything_back(bench: Bench, application: str) -> None:
    """As far as one machine can show it: every process is gone, the namespaces too, and the boot is another."""
    for group in Path("/sys/fs/cgroup").glob(f"**/meshops-lab-{bench.name}/**/cgroup.procs"):
        for pid in group.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: not bench.processes())
    runtime = Path(f"/run/meshops-istio/labs/{bench.name}")
    subprocess.run(["umount", "--lazy", runtime / "namespaces" / "mounts"], check=True)
    subprocess.run(["ip", "netns", "delete", f"meshops-{bench.name}"], check=True)
    (runtime / "boot").write_text("another")
    bench.up()
    eventually(lambda: answers(application), limit=120)


def test_a_killed_up_or_down_is_taken_up_again(neighbour: Bench) -> None:
    def killed(command: str, after: float) -> None:
        run = [sys.executable, "-m", "lab", "--lab", neighbour.name, command]
        with subprocess.Popen(run, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as process:
            time.sleep(after)
            process.kill()

    for after in (0.3, 1.5, 4):
        killed("up", after)
    neighbour.up()
    neighbour.lab("status")
    for after in (0.3, 0.6):
        killed("down", after)
    neighbour.up()
    neighbour.lab("status")
    killed("down", 0.5)
    neighbour.lab("down")
    assert not neighbour.traces()


def test_down_leaves_nothing(bench: Bench) -> None:
    assert set(bench.traces()) >= {"ps", "mount", "ip netns", "ip link", "ip route", "control groups", "folders"}
    bench.lab("down")
    assert not bench.traces()
    assert "there is no lab" in bench.lab("down").stderr
    refused = bench.lab("kubeconfig", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "make lab-up" in refused.stderr
    assert shutil.which("istioctl", path=f"/var/lib/meshops-istio/labs/{bench.name}/bin") is None
