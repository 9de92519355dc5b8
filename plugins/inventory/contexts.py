# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory C(meshops.istio.contexts): contexts of a kubeconfig as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: contexts
short_description: Use the contexts of a kubeconfig as hosts, one for each cluster
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Adds a host for each context, with the name of the context. The host has C(mesh_context), and C(mesh_kubeconfig) if
    O(kubeconfig) is set in the file, for the role P(meshops.istio.mesh#role). Adds all hosts to the group C(clusters).
  - Tasks run on the controller (C(ansible_connection=local)) with its Python interpreter.
  - Does not store secrets. Tokens and keys stay in the kubeconfig.
  - With O(probe), connects to the clusters and adds the hosts to the groups C(platform_NAME),
    C(kubernetes_MAJOR_MINOR), C(istio_MAJOR_MINOR) or C(no_mesh), and C(unreachable).
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [meshops.istio.contexts]
  kubeconfig:
    description:
      - "Path of the kubeconfig, or several paths separated by colons. Default: E(KUBECONFIG) or C(~/.kube/config)."
    type: str
    env:
      - name: K8S_AUTH_KUBECONFIG
  include:
    description: Contexts to include, as shell patterns, for example V(prod-*).
    type: list
    elements: str
    default: ["*"]
  exclude:
    description: Contexts to exclude, as shell patterns, for example V(*-old).
    type: list
    elements: str
    default: []
  probe:
    description: Connect to the clusters to read their platform and the versions of Kubernetes and Istio.
    type: bool
    default: false
  probe_timeout:
    description: Timeout of the connection to each cluster, in seconds. All clusters are probed at the same time.
    type: float
    default: 3.0
"""

EXAMPLES = r"""
# meshes.yml
plugin: meshops.istio.contexts
kubeconfig: ~/.kube/fleet
include: ["prod-*"]
probe: true
keyed_groups:
  - key: mesh_probe.platform
    prefix: cluster
compose:
  mesh_platform: mesh_probe.platform if mesh_probe.platform in ['openshift', 'gke'] else ''
"""

import fnmatch
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.control_planes import read_installed
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.detection import platform_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.api import kubeconfig
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.redaction import redacted_text
from ansible_collections.meshops.istio.plugins.plugin_utils.cluster_inventory import ClusterInventory, Host

PROBES = 16
"""Number of clusters that are probed at the same time."""


class InventoryModule(ClusterInventory):
    """Inventory plugin."""

    NAME = "meshops.istio.contexts"

    def find(self) -> dict[str, dict[str, Any]]:
        """Return the server of each context, and the results of the probes."""
        path = self.get_option("kubeconfig")
        found: dict[str, dict[str, Any]] = {
            name: {"server": redacted_text(server)}
            for name, server in kubeconfig.contexts(path).items()
            if _fits(name, self.get_option("include")) and not _fits(name, self.get_option("exclude"))
        }
        if self.get_option("probe"):
            timeout = self.get_option("probe_timeout")
            with ThreadPoolExecutor(max_workers=PROBES) as pool:
                probes = pool.map(lambda name: probe(path, name, timeout=timeout), found)
                for facts, told in zip(found.values(), probes, strict=True):
                    facts["probe"] = told
        return found

    def hosts(self, found: Mapping[str, Mapping[str, Any]]) -> Iterator[Host]:
        """Yield a host for each context."""
        # One of the environment may be a file that goes with this process, as AWX's credentials do; others have their own.
        named = self.get_option("kubeconfig") if self.written.get("kubeconfig") else None
        for name, facts in found.items():
            variables = {"mesh_context": name, "mesh_server": facts["server"]}
            if named:
                variables["mesh_kubeconfig"] = named
            if "probe" in facts:
                variables["mesh_probe"] = facts["probe"]
            yield Host(name, variables, groups_of(facts.get("probe")))


def probe(path: str | None, context: str, *, timeout: float) -> dict[str, Any]:
    """Probe a cluster: `reachable` with `platform`, `kubernetes` and `istio` (versions), or with `message`."""
    try:
        cluster = Cluster.connect({"kubeconfig": path, "context": context}, user_agent="meshops.istio/inventory")
        with cluster.time_limit(timeout):
            version = cluster.version()
            return {
                "reachable": True,
                "platform": platform_of(cluster),
                "kubernetes": f"{version.major}.{version.minor}",
                "istio": sorted({plane["version"] for plane in read_installed(cluster)["control_planes"]}),
            }
    except MeshError as error:
        return {"reachable": False, "message": redacted_text(error.message)}


def groups_of(told: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the groups of a cluster that was probed."""
    if told is None:
        return
    if not told["reachable"]:
        yield "unreachable"
        return
    yield f"platform_{told['platform']}"
    yield f"kubernetes_{told['kubernetes'].replace('.', '_')}"
    for version in told["istio"]:
        yield f"istio_{'_'.join(version.split('.')[:2])}"
    if not told["istio"]:
        yield "no_mesh"


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
