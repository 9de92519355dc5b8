#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: minikube
short_description: Create, start and remove minikube clusters
version_added: 0.1.0
description:
  - Creates a minikube profile, starts a stopped profile, and does not change a running profile with the same settings.
  - Fails if the profile has other settings, and lists the differences. The module never recreates a profile.
extends_documentation_fragment:
  - meshops.istio.attributes
attributes:
  diff_mode:
    support: none
    details: The module creates, starts or removes a cluster.
options:
  name:
    description:
      - Name of the profile and of the context in the kubeconfig.
    type: str
    default: mesh
  state:
    description:
      - V(present) creates and starts the cluster. V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  driver:
    description:
      - "Driver of minikube, for example V(docker), V(kvm2) or V(none). Default: chosen by minikube."
    type: str
  cpus:
    description:
      - Number of CPUs of each node.
    type: int
    default: 2
  memory:
    description:
      - Memory of each node, in MiB.
    type: int
    default: 4096
  nodes:
    description:
      - Number of nodes.
    type: int
    default: 1
  kubernetes_version:
    description:
      - "The exact Kubernetes version. Default: for a new profile the default version of minikube, and for an existing
        profile any version."
    type: str
  registry_mirrors:
    description:
      - URLs of registry mirrors.
    type: list
    elements: str
    default: []
  kubeconfig:
    description:
      - "Path of the kubeconfig to write the context to. Default: the first path in E(KUBECONFIG), or C(~/.kube/config).
        The current context is not changed."
    type: path
  program:
    description:
      - Name or path of the minikube program.
    type: str
    default: minikube
  profile:
    description:
      - Istio profile that will be installed. A warning is returned if the memory is not sufficient for the profile and
        O(addons).
    type: str
  addons:
    description:
      - Istio addons that will be installed.
    type: list
    elements: str
    default: []
  tunnel:
    description:
      - Run C(minikube tunnel), which assigns addresses to Services of type LoadBalancer. The tunnel is closed when the
        Ansible run ends for any reason.
      - The tunnel changes the routes of the host, and requires root or sudo without a password.
    type: bool
    default: false
  tunnel_owner:
    description:
      - "ID of the process with which the tunnel and the forwarded ports end. Default: the process of the Ansible run."
    type: int
  services:
    description:
      - Services whose URLs to request from minikube, as C(NAMESPACE/NAME). Required if the host cannot reach the
        address of the node, for example with the driver docker on macOS and Windows. minikube then forwards the ports
        until the Ansible run ends.
      - Services that do not exist yet have no URLs.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Timeout for creating, starting or removing the cluster, in seconds.
    type: int
    default: 600
seealso:
  - module: meshops.istio.cluster_info
notes:
  - In check mode, the module runs C(minikube start --dry-run).
"""

EXAMPLES = r"""
- name: Create a cluster with load balancers for the duration of the play
  meshops.istio.minikube:
    name: mesh
    driver: docker
    cpus: 2
    memory: 4096
    tunnel: true
  register: cluster

- name: Remove the cluster
  meshops.istio.minikube:
    name: mesh
    state: absent
"""

RETURN = r"""
name:
  description: Name of the profile.
  returned: success
  type: str
  sample: mesh
context:
  description: Context in the kubeconfig.
  returned: success and O(state=present)
  type: str
  sample: mesh
kubeconfig:
  description: Path of the kubeconfig.
  returned: success and O(state=present)
  type: str
  sample: /home/me/.kube/config
ip:
  description: IP address of the first node. Empty if it does not exist yet.
  returned: success and O(state=present)
  type: str
  sample: 192.168.49.2
tunnel:
  description: V(true) if a tunnel is open.
  returned: success and O(state=present)
  type: bool
  sample: true
urls:
  description: URLs of O(services), in the order of their ports.
  returned: success and O(state=present)
  type: dict
  sample: {istio-system/istio-ingressgateway: ["http://127.0.0.1:49213", "http://127.0.0.1:49214"]}
version:
  description: Version of minikube.
  returned: success
  type: str
  sample: 1.36.0
code:
  description: Stable error code, for example V(invalid_input), V(refused), V(minikube_failed).
  returned: failure
  type: str
  sample: minikube_failed
details:
  description:
    - Details of the failure. C(name) and C(exit_code) of an error of minikube, or the C(differences) of a profile.
  returned: failure
  type: dict
  sample: {name: PROVIDER_DOCKER_NOT_RUNNING, exit_code: 63}
"""

import os

from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.memory import needed_memory
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, Refused
from ansible_collections.meshops.istio.plugins.module_utils.minikube.cli import Minikube, MinikubeFailed
from ansible_collections.meshops.istio.plugins.module_utils.minikube.profile import RUNNING, Settings
from ansible_collections.meshops.istio.plugins.module_utils.minikube.service import urls_of
from ansible_collections.meshops.istio.plugins.module_utils.minikube.tunnel import open_tunnel
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def run(module: MeshModule) -> Result:
    """Create or remove the cluster."""
    given = module.params
    if given["timeout"] < 1:
        raise InvalidInput(f"timeout {given['timeout']} is invalid: it must be 1 second or more.")
    minikube = Minikube(given["program"], given["name"], kubeconfig=given["kubeconfig"])
    body = present if given["state"] == "present" else absent
    return {"name": given["name"], "version": minikube.version(), **body(module, minikube)}


def present(module: MeshModule, minikube: Minikube) -> Result:
    """Create or start the cluster, unless it is running."""
    given = module.params
    settings = Settings(
        cpus=given["cpus"],
        memory=given["memory"],
        nodes=given["nodes"],
        driver=given["driver"],
        kubernetes_version=given["kubernetes_version"],
        registry_mirrors=given["registry_mirrors"],
    )
    warn_of_little_memory(module)
    # An invalid profile, which a dry run leaves too, is not a problem.
    profile = minikube.profiles()[0].get(minikube.profile)
    if profile and (differences := settings.differences(profile)):
        raise Refused(
            f"Profile {minikube.profile} already exists with other settings: {', '.join(differences)}. Use its settings,"
            " take another name, or remove it with state=absent first.",
            differences=differences,
        )
    runs = profile is not None and profile["Status"] in RUNNING
    if not runs:
        start(module, minikube, settings, known=bool(profile))
    result = {"context": minikube.profile, "kubeconfig": minikube.kubeconfig}
    if module.check_mode and not runs:
        return {"changed": True, **result, "ip": "", "tunnel": False, "urls": {}}
    if not module.check_mode and minikube.profile not in minikube.contexts():
        minikube.update_context()
    tunnel = given["tunnel"] and not module.check_mode
    owner = given["tunnel_owner"] or os.getppid()
    if tunnel:
        open_tunnel(minikube, owner)
    services = [] if module.check_mode else given["services"]
    urls = {service: urls_of(minikube, service, owner, timeout=given["timeout"]) for service in services}
    return {"changed": not runs, **result, "ip": minikube.ip(), "tunnel": tunnel, "urls": urls}


def start(module: MeshModule, minikube: Minikube, settings: Settings, *, known: bool) -> None:
    """Create or start the cluster. The error of a failure names a profile that it left behind."""
    timeout = module.params["timeout"]
    try:
        minikube.start(settings.flags(), timeout=timeout, progress=module.progress, dry_run=module.check_mode)
    except MinikubeFailed as error:
        if known or minikube.profile not in minikube.profiles()[0]:
            raise
        raise MinikubeFailed(
            f"{error.message} The profile {minikube.profile} remains. Delete it by `minikube delete -p"
            f" {minikube.profile}`, or set state to absent.",
            **error.details,
        ) from error


def absent(module: MeshModule, minikube: Minikube) -> Result:
    """Remove the cluster."""
    there, traces = minikube.profiles()
    if minikube.profile not in (*there, *traces):
        return {"changed": False}
    if not module.check_mode:
        minikube.delete(timeout=module.params["timeout"], progress=module.progress)
    return {"changed": True}


def warn_of_little_memory(module: MeshModule) -> None:
    """Warn if the memory is not sufficient for the mesh."""
    profile, addons = module.params["profile"], module.params["addons"]
    has = module.params["memory"] * module.params["nodes"]
    needed = needed_memory(profile, addons) if profile else 0
    if has < needed:
        what = f"the profile {profile}" + (f" with {', '.join(addons)}" if addons else "")
        module.warn(
            f"The cluster has {has} MiB of memory, but {what} needs about {needed}. Increase memory, or pods remain pending."
        )


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "name": {"type": "str", "default": "mesh"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "driver": {"type": "str"},
            "cpus": {"type": "int", "default": 2},
            "memory": {"type": "int", "default": 4096},
            "nodes": {"type": "int", "default": 1},
            "kubernetes_version": {"type": "str"},
            "registry_mirrors": {"type": "list", "elements": "str", "default": []},
            "kubeconfig": {"type": "path"},
            "program": {"type": "str", "default": "minikube"},
            "profile": {"type": "str"},
            "addons": {"type": "list", "elements": "str", "default": []},
            "tunnel": {"type": "bool", "default": False},
            "tunnel_owner": {"type": "int"},
            "services": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 600},
        },
        connects=False,
    )
    module.run(run)


if __name__ == "__main__":
    main()
