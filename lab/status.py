# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person wants to know about a lab."""

from __future__ import annotations

from pathlib import Path

import yaml

from . import network, release, standins
from .api import Api
from .errors import LabError
from .images import imported
from .network import Network
from .paths import Lab, state_root
from .processes import records
from .versions import PROMETHEUS


def show(lab: Lab) -> int:
    """Print the lab's state; 1 if it is not up as it should be."""
    addresses = network.known(lab)
    if not addresses or not lab.kubeconfig.exists():
        others = sorted(path.parent.name for path in state_root().glob("*/network.json"))
        elsewhere = f" Labs that are there: {', '.join(others)}." if others else ""
        raise LabError(f"Lab {lab.name} is not up: start it with `make lab-up`.{elsewhere}")
    api = Api(lab, addresses)
    node = _node(api, lab)
    processes = {name: record.pid() for name, record in records(lab).items()}
    _table("lab", [("name", lab.name), ("node", f"{lab.node} {node}"), *_addresses(lab, addresses), *_paths(lab)])
    _table("processes", [(name, f"pid {pid}" if pid else "does not run") for name, pid in processes.items()])
    _table("releases of Istio", _releases(lab))
    _table("images", _images(api, lab))
    healthy = node.startswith("Ready") and all(processes.values())
    if not healthy:
        print("The lab is not as it should be: `make lab-up` repairs it.")
    return 0 if healthy else 1


def _node(api: Api, lab: Lab) -> str:
    node = api.get(f"/api/v1/nodes/{lab.node}")
    if not node:
        return "(its API server does not answer)"
    conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", [])}
    state = "Ready" if conditions.get("Ready") == "True" else "not Ready"
    about = node["status"]["nodeInfo"]
    return f"{state}, Kubernetes {about['kubeletVersion']}, {about['containerRuntimeVersion']}"


def _addresses(lab: Lab, addresses: Network) -> list[tuple[str, str]]:
    basic = "none, and no volumes and no Prometheus; `make lab-up` adds them"
    return [
        ("API server", f"https://{addresses.node}:6443"),
        ("node ports", str(addresses.node)),
        ("load balancers", basic if lab.basic.exists() else str(addresses.load_balancers)),
    ]


def _paths(lab: Lab) -> list[tuple[str, str]]:
    return [
        ("kubeconfig", str(lab.kubeconfig)),
        ("variables", str(lab.vars_file)),
        ("programs", " ".join(str(path) for path in sorted((lab.state / "bin").iterdir()))),
        ("logs", str(lab.logs)),
    ]


def _releases(lab: Lab) -> list[tuple[str, str]]:
    sources = yaml.safe_load(lab.vars_file.read_text())["mesh_release_source"]
    folders = [Path(source) for source in ([sources] if isinstance(sources, str) else sources)]
    return [release.describe(folder) for folder in folders]


def _images(api: Api, lab: Lab) -> list[tuple[str, str]]:
    """Images on the node, each with where it comes from; a stand-in is called one."""
    node = api.get(f"/api/v1/nodes/{lab.node}") or {"status": {}}
    listed = (name for image in node["status"].get("images") or [] for name in image.get("names") or [])
    there = {name for name in listed if "@" not in name}
    packed = {name for marker in imported(lab) for name in marker.read_text().split()}
    rows = {name: row.answers for row in standins.table() for name in row.references}

    def origin(name: str) -> str:
        if name not in packed:
            return "pulled from its registry"
        if name in rows:
            return f"stand-in: {rows[name]}"
        if "/prom/" in name:
            return f"packed here from Prometheus {PROMETHEUS}"
        return "packed here from real binaries"

    return [(name, origin(name)) for name in sorted(there | packed)]


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    print(title)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        print(f"  {name:{width}}  {value}")
