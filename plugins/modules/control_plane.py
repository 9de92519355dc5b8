#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane
short_description: Install, upgrade and remove Istio (istiod, gateways, CNI node agent, ztunnel)
version_added: 0.1.0
description:
  - Applies the same objects as C(istioctl install) of the release with the same input, and waits until they are ready.
  - Compares before writing, and does not write if nothing differs. Fields that are managed at run time are not changed,
    such as the certificates and failure policies of webhooks, and replicas with a HorizontalPodAutoscaler.
  - Takes over installations by istioctl, Helm and kubectl. istioctl can still be used afterwards.
  - Objects of a Helm installation keep their names, so that nothing restarts, and gateways of the Helm chart C(gateway)
    are not changed. If Helm still has a record of the release, a warning lists the objects that C(helm uninstall) would
    delete.
  - Fails before the first write if the version or profile does not exist, an overlay is invalid, the cluster is
    unreachable or too old, or permissions are missing.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.mirror
  - meshops.istio.support
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  state:
    description:
      - V(present) installs or updates the revision. V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - The exact Istio version, for example V(1.31.4).
      - Required with O(state=present).
    type: str
  profile:
    description:
      - Installation configuration profile of the release, for example V(default), V(demo), V(minimal) or V(ambient).
    type: str
    default: default
  revision:
    description:
      - "Name of the revision, for example V(1-31-4). Default: the revision without a name."
    type: str
  overlays:
    description:
      - IstioOperators to merge into the profile, in this order. Each item is the path of a file with exactly one
        IstioOperator, or the object itself.
      - A dictionary of only C(source) and C(text) is the content of a file that was read earlier.
      - A relative path is searched for on the controller, in the same way as V(src) of M(ansible.builtin.copy), then in
        the current directory.
    type: list
    elements: raw
    default: []
  values:
    description:
      - Values of Istio's Helm charts, as in C(spec.values) of an IstioOperator. They override O(overlays).
    type: dict
    default: {}
  set:
    description:
      - "Individual settings, as a list of C(path=value) as in C(istioctl install --set), or as a dictionary of paths
        and values, for example V({meshConfig.accessLogFile: /dev/stdout}). They override all other options."
    type: raw
  hub:
    description:
      - Registry of the Istio images, for example V(docker.io/istio).
    type: str
  tag:
    description:
      - Tag of the Istio images, for example V(1.31.4-distroless).
    type: str
  platform:
    description:
      - Platform of the cluster, for example V(gke), V(minikube) or V(openshift). The release must support it.
      - OpenShift is detected automatically. On OpenShift, the profile V(default) becomes V(openshift), and V(ambient)
        becomes V(openshift-ambient), unless another platform is set.
    type: str
  namespace:
    description:
      - Namespace of the control plane. It is created if it does not exist.
    type: str
    default: istio-system
  ingress:
    description:
      - Settings of gateways, one item for each gateway. Settings that are not listed keep the values of the profile and
        the overlays.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the gateway.
        type: str
        default: istio-ingressgateway
      namespace:
        description:
          - Namespace of the gateway, for example V(edge). Required if several namespaces have a gateway of this name,
            or if a gateway that O(ingress[].labels) adds is not in the namespace of the control plane. The namespace
            must exist.
        type: str
      labels:
        description:
          - "Add a gateway of this name. Its pods have these labels, for example V({istio: partners}), for use in
            O(meshops.istio.gateway#module:selector)."
        type: dict
      type:
        description:
          - Type of the gateway's Service.
        type: str
        choices: [NodePort, LoadBalancer, ClusterIP]
      node_ports:
        description:
          - "Node ports by the names of the Service's ports, for example V({http2: 30080, https: 30443}). With V(0),
            Kubernetes assigns a node port."
        type: dict
      annotations:
        description:
          - Additional annotations of the Service.
        type: dict
      source_ranges:
        description:
          - Networks (CIDR) that may access the load balancer, for example V(10.0.0.0/8).
        type: list
        elements: str
      address:
        description:
          - IP address of the load balancer.
        type: str
      external_traffic_policy:
        description:
          - External traffic policy of the Service. V(Local) preserves the IP address of the client, and accepts
            requests only on nodes that run the gateway.
        type: str
        choices: [Cluster, Local]
      azure:
        description:
          - Settings of the Azure load balancer in AKS. O(ingress[].annotations) overrides them.
          - O(ingress[].address) and O(ingress[].source_ranges) also apply in AKS.
        type: dict
        suboptions:
          internal:
            description:
              - Use an internal load balancer, which can be reached only from the cluster's private networks.
            type: bool
          subnet:
            description:
              - Subnet for the IP address of an internal load balancer.
            type: str
          public_address:
            description:
              - Name of the Azure public IP address for the load balancer.
            type: str
          resource_group:
            description:
              - "Resource group of the public IP address. Default: the node resource group of the cluster."
            type: str
          dns_label:
            description:
              - DNS label of the public IP address, for C(LABEL.REGION.cloudapp.azure.com).
            type: str
          service_tags:
            description:
              - Azure service tags that may access the load balancer, for example V(AzureFrontDoor.Backend).
            type: list
            elements: str
          idle_timeout:
            description:
              - Idle timeout of TCP connections, in minutes, from 4 to 100.
            type: int
          health_probe:
            description:
              - Health probe of the Azure load balancer. V(ready) requests the readiness of the proxy at port 15021.
                V(tcp) opens a connection. V(default) is the default of Azure, which requests V(/) at ports with an
                application protocol and reports them as unhealthy.
              - With O(ingress[].external_traffic_policy=Local), the health check of Kubernetes is used.
            type: str
            choices: [ready, tcp, default]
            default: ready
          excluded_ports:
            description:
              - Names of ports that the load balancer does not expose, for example V(status-port).
            type: list
            elements: str
  extension_providers:
    description:
      - Extension providers for tracing, access logs, metrics and authorization, as in C(meshConfig.extensionProviders),
        in addition to those in O(overlays). If both contain a provider of the same name, the one in O(overlays) is
        used.
    type: list
    elements: dict
    default: []
  ignore_version_check:
    description:
      - Install on Kubernetes versions that are older than the release supports, and releases that are older than this
        collection knows. A warning is returned. Also change the version of a revision in ways that Istio does not support,
        skipping a minor version or going back by one.
    type: bool
    default: false
  strict:
    description:
      - Fail if the configuration has fields that the release does not know. By default, a warning names them.
      - These are fields of C(meshConfig) and C(values.ztunnel), which C(istioctl) accepts and which have no effect.
        Other unknown fields are always refused.
    type: bool
    default: false
  remove_dead_webhooks:
    description:
      - Delete webhooks of an earlier control plane that no longer exists, before any other change.
      - Such webhooks prevent the creation of pods or of Istio resources. By default, the module fails and lists them.
    type: bool
    default: false
  purge:
    description:
      - With O(state=absent), remove all revisions and all shared objects, including the CustomResourceDefinitions and
        with them all Istio resources of users.
      - Also removes objects that C(istioctl uninstall --purge) does not remove, such as revision tags that were set
        manually and objects that istiod created in namespaces. The namespace of the control plane is not deleted.
    type: bool
    default: false
  purge_root_key:
    description:
      - With O(purge), also remove the signing key that istiod generated for the certificates of the mesh (Secret
        C(istio-ca-secret)). A later installation generates another key.
    type: bool
    default: false
  backup:
    description:
      - With O(purge), path of the file to save the Istio resources of users to before they are deleted, for use with
        C(kubectl apply). The file must not exist.
      - "Default: a file in C(meshops-istio/removed) of the user's state directory, E(XDG_STATE_HOME) or
        C(~/.local/state), on the host that runs the module. Jobs of AWX have no default, because their directories are
        deleted with the container."
      - The module checks that the file can be written before the first change, and completes the file before the first
        deletion. It fails if resources cannot be listed.
    type: path
  assume_left:
    description:
      - In check mode with O(state=absent), namespaces whose pods are assumed to be outside of the mesh, because an
        earlier task would remove them from it.
    type: list
    elements: str
    default: []
  force:
    description:
      - Take over gateways of another revision. With O(state=absent), remove a revision that running proxies still use.
      - Also change and delete objects that belong to Argo CD, Flux, the Sail operator or another tool or controller,
        and fields that other field managers have set. Not required for the takeover of a Helm installation.
    type: bool
    default: false
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.injection
"""

EXAMPLES = r"""
- name: Install Istio with the default profile
  meshops.istio.control_plane:
    version: 1.31.4

- name: Install the demo profile with fixed node ports and an overlay
  meshops.istio.control_plane:
    version: 1.31.4
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

- name: Add a second gateway that can be reached only from inside the cluster
  meshops.istio.control_plane:
    version: 1.31.4
    ingress:
      - name: partners
        labels: {istio: partners}
        type: ClusterIP

- name: Show the changes of a new revision
  meshops.istio.control_plane:
    version: 1.31.4
    revision: 1-31-4
    profile: minimal
  check_mode: true
  diff: true

- name: Remove the revision
  meshops.istio.control_plane:
    state: absent
    revision: 1-31-4

- name: Remove Istio, including all Istio resources of users
  meshops.istio.control_plane:
    state: absent
    purge: true
"""

RETURN = r"""
changes:
  description:
    - Changes that were made, or would be made in check mode, in the order of the plan.
    - The objects themselves are not returned, because there are many. C(kubernetes.core.k8s_info) reads them.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: v1, kind: Namespace, namespace: "", name: istio-system}]
  contains:
    action:
      description: The action, one of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: Namespace
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: ""
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: istio-system
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
version:
  description: The Istio version of the release.
  returned: success and O(state=present)
  type: str
  sample: 1.31.4
revision:
  description: Name of the revision. V(default) for the revision without a name.
  returned: success
  type: str
  sample: default
gateways:
  description: Gateways of the revision.
  returned: success
  type: list
  elements: dict
  sample: [{name: istio-ingressgateway, namespace: istio-system, kind: Deployment, component: IngressGateways}]
  contains:
    name:
      description: Name of the gateway's workload and Service.
      returned: always
      type: str
      sample: istio-ingressgateway
    namespace:
      description: Namespace of the gateway.
      returned: always
      type: str
      sample: istio-system
    kind:
      description: Kind of the gateway's workload, one of V(Deployment), V(DaemonSet), V(StatefulSet).
      returned: always
      type: str
      sample: Deployment
    component:
      description: Component of the gateway, V(IngressGateways) or V(EgressGateways).
      returned: always
      type: str
      sample: IngressGateways
findings:
  description:
    - "Support of the release: end of life, Istio security bulletins, retired registries of its images."
    - Empty with O(security=ignore).
  returned: success and O(state=present)
  type: list
  elements: dict
  sample:
    - code: security_bulletin
      level: warning
      release: 1.29.6
      origin: ISTIO-SECURITY-2026-006
      message: Istio 1.29.6 is affected by ISTIO-SECURITY-2026-006 (fixed in 1.29.7).
      fix: Upgrade to 1.30.8 or 1.31.4.
      fixed_in: 1.29.7
      reference: https://istio.io/latest/news/security/istio-security-2026-006/
  contains:
    code:
      description:
        - Code of the finding, one of V(end_of_life), V(end_of_life_near), V(security_bulletin), V(retired_registry),
          V(newer_release).
      returned: always
      type: str
      sample: security_bulletin
    level:
      description: Level of the finding, V(warning) or V(error).
      returned: always
      type: str
      sample: warning
    release:
      description: The Istio version.
      returned: always
      type: str
      sample: 1.29.6
    origin:
      description: What the finding is about, such as the number of a security bulletin.
      returned: always
      type: str
      sample: ISTIO-SECURITY-2026-006
    message:
      description: Text of the finding.
      returned: always
      type: str
      sample: Istio 1.29.6 is affected by ISTIO-SECURITY-2026-006 (fixed in 1.29.7).
    fix:
      description: What to do.
      returned: always
      type: str
      sample: Upgrade to 1.30.8 or 1.31.4.
    fixed_in:
      description: The first patch release with the fix. Empty if the minor version has none.
      returned: if it is a security bulletin
      type: str
      sample: 1.29.7
    reference:
      description: URL of the security bulletin, or of the source of the data.
      returned: if there is one
      type: str
      sample: https://istio.io/latest/news/security/istio-security-2026-006/
extension_providers:
  description: Names of the extension providers of the mesh.
  returned: success and O(state=present)
  type: list
  elements: str
  sample: [jaeger]
resources:
  description: Istio resources of users that a purge deletes with the CustomResourceDefinitions.
  returned: success and O(state=absent)
  type: list
  elements: dict
  sample: [{api_version: networking.istio.io/v1, kind: Gateway, namespace: shop, name: helloworld-gateway}]
kept:
  description:
    - Objects that are not removed, each with the C(reason).
    - Node agents of the revision (C(istio-cni-node), C(ztunnel)), because another control plane uses them. They are
      removed with the last control plane, or by a purge.
    - Objects with the annotation C(meshops.istio/prune=disabled), in a purge too, and a CustomResourceDefinition while
      an object of its kind is kept.
  returned: success and O(state=absent)
  type: list
  elements: dict
  sample:
    - api_version: apps/v1
      kind: DaemonSet
      namespace: istio-system
      name: istio-cni-node
      reason: another control plane is there
backup_file:
  description: Path of the file with the saved RV(resources). Empty in check mode and if there were none.
  returned: success and O(state=absent)
  type: str
  sample: /home/me/.local/state/meshops-istio/removed/10.0.0.1-6443-20260131T120000Z.yaml
code:
  description: Stable error code, for example V(invalid_input), V(unreachable), V(refused), V(not_ready).
  returned: failure
  type: str
  sample: not_ready
details:
  description: Details of the failure. For V(not_ready), the objects with their conditions, pods and events.
  returned: failure
  type: dict
  sample: {timeout: 300, objects: []}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.control_plane_removal import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
