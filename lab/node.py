# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a lab's node up, whatever state it is in, and take it down without a trace."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import addons, certs, cgroups, debian, handover, images, mounts, network, runtime, selection
from .api import Api, until
from .components import PLAYED, SIMULATED_NODE, Components
from .errors import LabError
from .files import locked, write
from .network import Network
from .parts import Parts, gather, gather_simulated
from .paths import Lab
from .processes import Process, boot_id
from .progress import say
from .shell import run

_LIMIT = 180.0  # seconds for a component to become ready: a few on an idle machine, many on a busy one


def up(
    lab: Lab,
    named: Mapping[str, str],
    *,
    istio: str = "",
    kubernetes: str = "",
    simulated: bool = False,
    played: int = 0,
    cni: bool = False,
    basic: bool = False,
) -> None:
    """Start what does not run, restart what has changed, and wait until the node is ready.

    istio, kubernetes: versions, as `selection.select` takes them.
    simulated: a control plane whose nodes and pods are only played; one that was made so stays so.
    played: how many nodes beside the real one are only played; pods go there that tolerate their taint.
    cni: whether it is to have the image of Istio's CNI too, where images are packed.
    basic: whether a new lab can do without load balancers, volumes and Prometheus; one that has them keeps them.
    """
    selection.select(istio, kubernetes)  # a wrong version is told before anything is installed
    debian.ensure()
    with locked(lab.lock, waiting_for=f"working on lab {lab.name}"):
        _sweep(lab)
        simulated = simulated or (lab.state / "simulated").exists()
        chosen = selection.select(istio, kubernetes, existing=selection.saved(lab))
        basic = basic and (not lab.kubeconfig.exists() or lab.basic.exists())
        parts = (
            gather_simulated(chosen, named)
            if simulated
            else gather(chosen, named, plays=played > 0, cni=cni, basic=basic)
        )
        found = {**parts.binaries, **({} if simulated else runtime.programs(lab, named))}
        _forget_other_boot(lab)
        addresses = network.allocate(lab)
        cgroups.create(lab.cgroup)
        # Every process is in these namespaces: where one had to be made anew, none can stay.
        if any([network.up(lab, addresses), mounts.up(lab)]):
            cgroups.kill(lab.cgroup)
        certs.ensure(lab, addresses)
        selection.save(lab, chosen)
        handover.write_all(lab, parts)
        if simulated:
            write(lab.state / "simulated", "")
            _start_simulated(lab, addresses, Components(lab, addresses, found))
        else:
            _remember_basic(lab, basic)
            components = Components(lab, addresses, found)
            _start(lab, addresses, components, parts, found["ctr"], basic=basic)
            if played:
                _play(lab, Api(lab, addresses), components, played)


def _start_simulated(lab: Lab, addresses: Network, components: Components) -> None:
    api = Api(lab, addresses)
    started = [process.name for process in (components.etcd(), components.apiserver()) if _run(process)]
    advice = _advice(lab, "kube-apiserver", "etcd")
    until(api.ready, "The API server did not become ready", limit=_LIMIT, advice=advice)
    rest = (components.controller_manager(), components.scheduler(), components.simulator())
    started += [process.name for process in rest if _run(process)]
    api.apply(_played_node(lab.node))
    until(
        lambda: _ready(api, lab), "The simulated node did not become Ready", limit=_LIMIT, advice=_advice(lab, "kwok")
    )
    _say_ready(lab, started)


def _play(lab: Lab, api: Api, components: Components, count: int) -> None:
    """Nodes beside the real one, with a taint: what does not ask for them runs for real."""
    _run(components.simulator())
    names = [f"{lab.node}-played-{number}" for number in range(count)]
    taint = {"key": PLAYED, "effect": "NoSchedule"}
    for name in names:
        api.apply({**_played_node(name), "spec": {"taints": [taint]}})
    until(
        lambda: all(_is_ready(api.get(f"/api/v1/nodes/{name}")) for name in names),
        "The played nodes did not become Ready",
        limit=_LIMIT,
        advice=_advice(lab, "kwok"),
    )


def _played_node(name: str) -> dict[str, Any]:
    annotation, value = SIMULATED_NODE.split("=")
    metadata = {
        "name": name,
        "annotations": {annotation: value},
        "labels": {"kubernetes.io/hostname": name, PLAYED: ""},
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def _say_ready(lab: Lab, started: list[str]) -> None:
    say(f"lab {lab.name} is ready" + (f" (started {', '.join(started)})" if started else ", nothing was to do"))


def _remember_basic(lab: Lab, basic: bool) -> None:
    if basic:
        write(lab.basic, "")
    else:
        lab.basic.unlink(missing_ok=True)


def _start(lab: Lab, addresses: Network, components: Components, parts: Parts, ctr: Path, *, basic: bool) -> None:
    api = Api(lab, addresses)
    first = (components.etcd(), components.containerd(pulls=parts.pulled), components.apiserver())
    proxy = (components.pull_proxy(),) if parts.pulled else ()
    started = [process.name for process in (*first, *proxy) if _run(process)]
    with ThreadPoolExecutor(max_workers=1) as background:
        imported = background.submit(_import, lab, parts.archives, ctr)
        until(
            api.ready,
            "The API server did not become ready",
            limit=_LIMIT,
            advice=_advice(lab, "kube-apiserver", "etcd"),
        )
        rest = (
            components.controller_manager(),
            components.scheduler(),
            components.kubelet(),
            components.proxy(),
            components.coredns(),
        )
        started += [process.name for process in rest if _run(process)]
        addons.apply(api, addresses, basic=basic)
        if not basic:
            started += [p.name for p in (components.load_balancers(), components.volumes()) if _run(p)]
        imported.result()
    until(
        lambda: _ready(api, lab),
        "The node did not become Ready",
        limit=_LIMIT,
        advice=_advice(lab, "kubelet", "containerd"),
    )
    _say_ready(lab, started)


def _run(process: Process) -> bool:
    """Start a process unless it runs as it should; true if it was started."""
    if process.current():
        return False
    process.stop()
    process.start()
    return True


def _ready(api: Api, lab: Lab) -> bool:
    """Whether a pod could start now: the node is ready and open, and the default namespace has its account."""
    node = api.get(f"/api/v1/nodes/{lab.node}")
    if not node or node["spec"].get("taints") or not api.get("/api/v1/namespaces/default/serviceaccounts/default"):
        return False
    return _is_ready(node)


def _is_ready(node: dict[str, Any] | None) -> bool:
    conditions = {c["type"]: c["status"] for c in ((node or {}).get("status") or {}).get("conditions", [])}
    return conditions.get("Ready") == "True"


def _import(lab: Lab, archives: list[images.Packed], ctr: Path) -> None:
    """Give containerd the images that it lacks."""
    control: list[str | Path] = [ctr, "--address", lab.containerd_socket, "--namespace", "k8s.io"]
    until(
        lambda: _answers([*control, "version"]),
        "containerd did not become ready",
        limit=_LIMIT,
        advice=_advice(lab, "containerd"),
    )
    for packed in archives:
        marker = images.marker(lab, packed)
        if not marker.exists():
            run([*control, "images", "import", packed.archive])
            write(marker, "\n".join(packed.references))


def _answers(argv: list[str | Path]) -> bool:
    try:
        run(argv, timeout=5)
    except LabError:
        return False
    return True


def _advice(lab: Lab, *names: str) -> str:
    return "look into " + " and ".join(str(lab.logs / f"{name}.log") for name in names) + "."


def _forget_other_boot(lab: Lab) -> None:
    """After a reboot nothing of the runtime folder is true any more, wherever it is kept."""
    stamp = lab.runtime / "boot"
    if not stamp.exists() or stamp.read_text() != boot_id():
        mounts.down(lab)
        shutil.rmtree(lab.runtime, ignore_errors=True)
        write(stamp, boot_id())


def down(lab: Lab) -> None:
    """End every process of the lab and remove all that it made, in an order that can be taken up again after a kill."""
    with locked(lab.lock, waiting_for=f"working on lab {lab.name}"):
        existed = lab.state.exists()
        cgroups.kill(lab.cgroup)
        mounts.down(lab)
        network.down(lab)
        cgroups.remove(lab.cgroup)
        shutil.rmtree(lab.runtime, ignore_errors=True)
        if existed:
            lab.state.rename(_leaving(lab))
        _sweep(lab)
        say(f"lab {lab.name} is gone" if existed else f"there is no lab {lab.name}")


def _leaving(lab: Lab) -> Path:
    """Where state goes before it is deleted, so that half of it is never taken for a lab."""
    return lab.state.with_name(f".{lab.name}.leaving")


def _sweep(lab: Lab) -> None:
    shutil.rmtree(_leaving(lab), ignore_errors=True)
