#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane
short_description: Bring one revision of Istio's control plane, and its gateways, to a state
version_added: 0.1.0
description:
  - Makes the cluster hold the objects that C(istioctl install) of the release would leave for the same input, no more
    and no less, and waits until they are ready.
  - Compares before it writes. Nothing is written where nothing differs, and what others decide at run time (the
    certificates and the failure policy of webhooks, the replicas under an autoscaler) is left as it is.
  - Takes over what istioctl, Helm or kubectl installed. istioctl keeps working on it.
  - What Helm installed keeps the names of its release, so that nothing restarts, and gateways of Istio's chart C(gateway)
    stay as they are. As long as Helm has a record of the release, a warning tells what C(helm uninstall) would delete.
  - Refuses, before the first write, what cannot work - a version or profile that does not exist, an overlay with a
    mistake, a cluster that cannot be reached or is too old, and missing permissions.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.mirror
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  state:
    description:
      - Whether the revision is to be there.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - The Istio version, exactly, for example V(1.29.1).
      - Required with O(state=present).
    type: str
  profile:
    description:
      - The profile of the release to start from, for example V(default), V(demo), V(minimal), V(ambient).
    type: str
    default: default
  revision:
    description:
      - The name of the revision. Without it the one that has no name.
    type: str
  overlays:
    description:
      - IstioOperators that are laid over the profile in this order, each the path of a file that holds exactly one, or
        the object itself. A map of nothing but C(source) and C(text) is a file that was read elsewhere.
      - A relative path is looked up on the controller, as V(src) of M(ansible.builtin.copy) is, and then in the current
        folder.
    type: list
    elements: raw
    default: []
  values:
    description:
      - Values of Istio's Helm charts, as C(spec.values) of an IstioOperator, laid over the overlays.
    type: dict
    default: {}
  set:
    description:
      - Single settings, a list of C(path=value) as C(istioctl --set) takes them, or a dictionary of paths and values. They
        win over all else.
    type: raw
  hub:
    description:
      - The registry of Istio's images, for example V(docker.io/istio).
    type: str
  tag:
    description:
      - The tag of Istio's images.
    type: str
  platform:
    description:
      - The platform of the cluster, one that the release knows, for example V(gke), V(minikube), V(openshift).
      - Of OpenShift it need not be said. There, the profile V(default) becomes V(openshift), and V(ambient)
        V(openshift-ambient), unless another platform is.
    type: str
  namespace:
    description:
      - The namespace of the control plane. It is created.
    type: str
    default: istio-system
  ingress:
    description:
      - How gateways are reached, per gateway. What is left out stays as the profile and the overlays have it.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The name of the ingress gateway.
        type: str
        default: istio-ingressgateway
      namespace:
        description:
          - The namespace of the ingress gateway, where the configuration has gateways of this name in several namespaces,
            or where a gateway that O(ingress[].labels) adds is to be in another namespace than the control plane's, for
            example V(edge). A gateway's namespace must exist.
        type: str
      labels:
        description:
          - "Adds a gateway of this name to those that the profile and the overlays have. Its pods carry these labels, for
            example V({istio: partners}), by which O(meshops.istio.gateway#module:selector) names them."
        type: dict
      type:
        description:
          - The type of the gateway's Service.
        type: str
        choices: [NodePort, LoadBalancer, ClusterIP]
      node_ports:
        description:
          - "Node ports by the names of the Service's ports, for example V({http2: 30080, https: 30443}). V(0) has the API
            server choose one."
        type: dict
      annotations:
        description:
          - Annotations of the Service, in addition to those that it has.
        type: dict
      source_ranges:
        description:
          - The networks, as V(10.0.0.0/8), that may reach the load balancer.
        type: list
        elements: str
      address:
        description:
          - The IP address that the load balancer is to have.
        type: str
      external_traffic_policy:
        description:
          - V(Local) keeps the client's address and serves only at nodes that run the gateway.
        type: str
        choices: [Cluster, Local]
      azure:
        description:
          - How Azure's load balancer serves the gateway, in AKS. What O(ingress[].annotations) says too is as said there.
          - O(ingress[].address) and O(ingress[].source_ranges) hold here as everywhere.
        type: dict
        suboptions:
          internal:
            description:
              - Whether the load balancer is reached from the cluster's own networks only.
            type: bool
          subnet:
            description:
              - The subnet that an internal load balancer's address is in.
            type: str
          public_address:
            description:
              - The name of the public address, an Azure resource, that the load balancer is to have.
            type: str
          resource_group:
            description:
              - The resource group of the public address, where it is not the one of the cluster's nodes.
            type: str
          dns_label:
            description:
              - The name of the public address below the region's domain, C(LABEL.REGION.cloudapp.azure.com).
            type: str
          service_tags:
            description:
              - Azure's service tags, as V(AzureFrontDoor.Backend), from which the load balancer may be reached.
            type: list
            elements: str
          idle_timeout:
            description:
              - After how many minutes a TCP connection without traffic is closed, 4 to 100.
            type: int
          health_probe:
            description:
              - What Azure asks to see whether a node serves the gateway. V(ready) asks the proxy itself, on the port
                15021. V(tcp) opens a connection. V(default) leaves it to Azure, which asks ports with an application
                protocol for V(/) and finds them ill.
              - With O(ingress[].external_traffic_policy=Local), Kubernetes' own health check is asked.
            type: str
            choices: [ready, tcp, default]
            default: ready
          ports_kept_inside:
            description:
              - Names of ports, as V(status-port), that the load balancer does not open.
            type: list
            elements: str
  extension_providers:
    description:
      - Providers of tracing, access logs, metrics and authorization, as C(meshConfig.extensionProviders) has them, in
        addition to those of the overlays. Where both have one of a name, it is the overlays'.
    type: list
    elements: dict
    default: []
  ignore_version_check:
    description:
      - Whether to install on a Kubernetes that is older than the release supports, with a warning.
    type: bool
    default: false
  remove_dead_webhooks:
    description:
      - Whether to delete, before anything else, webhooks of an earlier control plane that is gone. They fail closed, so
        that no pod can start or no Istio resource can be set, and without this option they are refused by their names.
    type: bool
    default: false
  purge:
    description:
      - With O(state=absent), whether to remove every revision and what they share, the CRDs and with them all of the
        users' Istio resources included.
      - What C(istioctl uninstall --purge) leaves goes too, tags set by hand and what istiod writes into namespaces; the
        control plane's namespace stays.
    type: bool
    default: false
  purge_root_key:
    description:
      - With O(purge), whether to remove the key too that istiod made to sign the mesh's certificates, the Secret
        C(istio-ca-secret). A mesh that is installed later has another one then.
    type: bool
    default: false
  backup:
    description:
      - With O(purge), the file that the users' Istio resources are saved to before they go, for C(kubectl apply). It must
        not exist yet.
      - The default is a file in C(meshops-istio/removed) of the user's state folder, E(XDG_STATE_HOME) or
        C(~/.local/state), on the host that runs the module. In a job of AWX there is no default, because its folders go
        with its container.
      - The place is tried before anything is changed, and the file is complete before anything is deleted. What cannot
        be listed is refused, not left out.
    type: path
  assume_left:
    description:
      - In check mode with O(state=absent), namespaces whose pods count as out of the mesh, because something that comes
        before takes them out.
    type: list
    elements: str
    default: []
  force:
    description:
      - Whether to take over another revision's gateways, and with O(state=absent) to remove what running proxies still
        use.
      - Also whether to change and delete objects that belong to Argo CD, Flux, the Sail operator or another tool or
        controller, and fields that other field managers have set. A mesh of Helm's is taken over without it.
    type: bool
    default: false
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.injection
"""

EXAMPLES = r"""
- name: Install Istio with the default profile
  meshops.istio.control_plane:
    version: 1.29.1

- name: Install the demo profile with fixed node ports and an overlay
  meshops.istio.control_plane:
    version: 1.29.1
    profile: demo
    overlays:
      - mesh.yaml
      - apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        spec:
          meshConfig:
            accessLogFile: /dev/stdout
    ingress:
      - type: NodePort
        node_ports: {http2: 30080, https: 30443}

- name: Add a second gateway, which is reached from inside only
  meshops.istio.control_plane:
    version: 1.29.1
    ingress:
      - name: partners
        labels: {istio: partners}
        type: ClusterIP

- name: See what a new revision would bring
  meshops.istio.control_plane:
    version: 1.29.1
    revision: 1-29-1
    profile: minimal
  check_mode: true
  diff: true

- name: Remove that revision
  meshops.istio.control_plane:
    state: absent
    revision: 1-29-1

- name: Remove Istio with all that belongs to it, the users' Istio resources too
  meshops.istio.control_plane:
    state: absent
    purge: true
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: v1, kind: Namespace, namespace: "", name: istio-system}]
  contains:
    action:
      description: One of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: The object's API version.
      returned: always
      type: str
      sample: v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: Namespace
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: ""
    name:
      description: The object's name.
      returned: always
      type: str
      sample: istio-system
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
version:
  description: The version of the release.
  returned: success and O(state=present)
  type: str
  sample: 1.29.1
revision:
  description: The revision, V(default) for the one without a name.
  returned: success
  type: str
  sample: default
gateways:
  description: The gateways of the revision.
  returned: success
  type: list
  elements: dict
  sample: [{name: istio-ingressgateway, namespace: istio-system, kind: Deployment, component: IngressGateways}]
  contains:
    name:
      description: The name of the gateway's workload and Service.
      returned: always
      type: str
      sample: istio-ingressgateway
    namespace:
      description: The gateway's namespace.
      returned: always
      type: str
      sample: istio-system
    kind:
      description: The kind of the gateway's workload, V(Deployment), V(DaemonSet) or V(StatefulSet).
      returned: always
      type: str
      sample: Deployment
    component:
      description: V(IngressGateways) or V(EgressGateways).
      returned: always
      type: str
      sample: IngressGateways
extension_providers:
  description: The names of the providers of tracing, access logs and more that the mesh is told of.
  returned: success and O(state=present)
  type: list
  elements: str
  sample: [jaeger]
resources:
  description: The users' own Istio resources, which go with the CRDs of a purge.
  returned: success and O(state=absent)
  type: list
  elements: dict
  sample: [{api_version: networking.istio.io/v1, kind: Gateway, namespace: shop, name: helloworld-gateway}]
kept:
  description:
    - The agents on the nodes (C(istio-cni-node), C(ztunnel)) of the revision that stay, because another control plane is
      there. They go with the last one, or with a purge.
  returned: success and O(state=absent)
  type: list
  elements: dict
  sample: [{api_version: apps/v1, kind: DaemonSet, namespace: istio-system, name: istio-cni-node}]
backup_file:
  description: The file that these resources were saved to, empty where there were none, and in check mode.
  returned: success and O(state=absent)
  type: str
  sample: /home/me/.local/state/meshops-istio/removed/10.0.0.1-6443-20260131T120000Z.yaml
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(unreachable), V(refused), V(not_ready).
  returned: failure
  type: str
  sample: not_ready
details:
  description: What is known about the failure. For V(not_ready) the objects with their conditions, pods and events.
  returned: failure
  type: dict
  sample: {timeout: 300, objects: []}
"""

from pathlib import Path

from ansible_collections.meshops.istio.plugins.module_utils.arguments import MIRROR, PLAN, RELEASE, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import installed_objects, removal
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.istio.platforms.openshift import with_platform
from ansible_collections.meshops.istio.plugins.module_utils.istio.release import versions
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import MeshError, Refused
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.backup import (
    default_path,
    refuse_lost_folder,
    text_of,
    try_place,
    write,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.change import Object
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

AZURE = {
    "internal": {"type": "bool"},
    "subnet": {"type": "str"},
    "public_address": {"type": "str"},
    "resource_group": {"type": "str"},
    "dns_label": {"type": "str"},
    "service_tags": {"type": "list", "elements": "str"},
    "idle_timeout": {"type": "int"},
    "health_probe": {"type": "str", "choices": ["ready", "tcp", "default"], "default": "ready"},
    "ports_kept_inside": {"type": "list", "elements": "str"},
}
INGRESS = {
    "name": {"type": "str", "default": "istio-ingressgateway"},
    "namespace": {"type": "str"},
    "labels": {"type": "dict"},
    "type": {"type": "str", "choices": ["NodePort", "LoadBalancer", "ClusterIP"]},
    "node_ports": {"type": "dict"},
    "annotations": {"type": "dict"},
    "source_ranges": {"type": "list", "elements": "str"},
    "address": {"type": "str"},
    "external_traffic_policy": {"type": "str", "choices": ["Cluster", "Local"]},
    "azure": {"type": "dict", "options": AZURE},
}


def present(module: MeshModule) -> Result:
    """Install the revision, or bring it to what the options say."""
    parameters = module.params
    release, _fetched = module.release()
    options = with_platform(Options.of(parameters), module.cluster)
    wanted = ControlPlane(release, options, module.cluster, cache_dir=parameters["cache_dir"])
    check_versions(module, release.version)
    unit = wanted.unit(remove_dead_webhooks=parameters["remove_dead_webhooks"])
    told: dict[str, None] = {}

    def check(plan: Plan) -> None:
        wanted.check(plan, force=parameters["force"])
        told.update(dict.fromkeys(wanted.warnings(plan)))

    result = module.reconcile(unit, lock=LOCK, checks=check)
    for sentence in told:
        module.warn(sentence)
    return {
        **result,
        "version": release.version,
        "revision": wanted.revision,
        "gateways": wanted.gateways,
        "extension_providers": wanted.extension_providers,
    }


def absent(module: MeshModule) -> Result:
    """Remove the revision, or with purge all of Istio."""
    revision, purge = module.params["revision"] or "", module.params["purge"]
    lost: list[Object] = []
    backup = Path(module.params["backup"] or default_path(module.cluster.server))

    saved = False

    def check(plan: Plan) -> None:
        if not module.params["force"]:
            left = module.params["assume_left"] if module.check_mode else []
            removal.refuse_in_use(module.cluster, plan, revision=revision, purge=purge, left=left)
        lost[:] = removal.users_resources(module.cluster, plan)
        if lost and not saved:
            refuse_lost_folder(module.params["backup"])
            try_place(backup, text_of(lost))

    def save(_plan: Plan) -> None:
        nonlocal saved
        if lost and not saved:
            write(backup, text_of(lost))
            saved = True
            module.progress(f"saved {len(lost)} Istio resources to {backup}")

    unit = removal.absent(
        revision=revision, namespace=module.params["namespace"], purge=purge, root_key=module.params["purge_root_key"]
    )
    kept = [] if purge else installed_objects.shared_agents(module.cluster, revision, module.params["namespace"])
    try:
        result = module.reconcile(unit, lock=LOCK, checks=check, before=save)
    except MeshError as error:
        if saved:
            error.details["backup_file"] = str(backup)
        raise
    return {
        **result,
        "revision": revision or "default",
        "gateways": [],
        "kept": [key_of(one)._asdict() for one in kept],
        "resources": [key_of(one)._asdict() for one in lost],
        "backup_file": str(backup) if saved else "",
    }


def check_versions(module: MeshModule, istio: str) -> None:
    """Refuse a Kubernetes that is too old for the release, or only warn of it where that was asked for."""
    try:
        warning = versions.check(istio, module.cluster.version())
    except Refused as refused:
        if not module.params["ignore_version_check"]:
            raise
        warning = refused.message
    if warning:
        module.warn(warning)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "version": {"type": "str"},
            "profile": {"type": "str", "default": "default"},
            "revision": {"type": "str"},
            "overlays": {"type": "list", "elements": "raw", "default": []},
            "values": {"type": "dict", "default": {}},
            "set": {"type": "raw"},
            "hub": {"type": "str"},
            "tag": {"type": "str"},
            "platform": {"type": "str"},
            "namespace": {"type": "str", "default": "istio-system"},
            "ingress": {"type": "list", "elements": "dict", "default": [], "options": INGRESS},
            "extension_providers": {"type": "list", "elements": "dict", "default": []},
            "ignore_version_check": {"type": "bool", "default": False},
            "remove_dead_webhooks": {"type": "bool", "default": False},
            "purge": {"type": "bool", "default": False},
            "purge_root_key": {"type": "bool", "default": False},
            "backup": {"type": "path"},
            "assume_left": {"type": "list", "elements": "str", "default": []},
            **RELEASE,
            **MIRROR,
            **PLAN,
            **WAIT,
        },
        required_if=[("state", "present", ["version"])],
    )
    module.run(present if module.params["state"] == "present" else absent)


if __name__ == "__main__":
    main()
