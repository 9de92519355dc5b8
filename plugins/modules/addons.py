#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: addons
short_description: Install Kiali, Prometheus, Grafana, Jaeger, Loki, Zipkin and other addons of an Istio release
version_added: 0.1.0
description:
  - Installs addons from C(samples/addons) of the Istio release with the settings below, and waits until they are ready.
    Deletes addons that this module installed earlier and that are no longer listed.
  - Can expose addons at an ingress gateway (Gateway, VirtualService), and enable tracing and access logs for the whole
    mesh (Telemetry).
  - Fails before the first write if the release does not contain an addon, or if two addons define the same object, such
    as two tracing backends.
  - The addons of the release are intended to get up and running quickly, and may not be suitable for production.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.mirror
  - meshops.istio.plan
  - meshops.istio.recreate
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  addons:
    description:
      - Names of the addons, as in the file names of the release, such as V(kiali), V(prometheus), V(grafana), V(jaeger)
        and V(loki), and of the extras V(zipkin), V(skywalking) and V(prometheus-operator). V(all) selects all addons
        except the extras.
      - V(prometheus-operator) installs monitors for the Prometheus Operator. Its CustomResourceDefinitions must exist.
      - "Required with O(state=present). With O(state=absent), the addons to remove. Default: all addons. A name that no
        release has and that is not installed is refused."
    type: list
    elements: str
  version:
    description:
      - The exact Istio version of the addons, for example V(1.31.4). Required with O(state=present).
    type: str
  namespace:
    description:
      - Namespace of the control plane and of its addons.
    type: str
    default: istio-system
  state:
    description:
      - V(present) installs the addons. V(absent) removes them, and does not need a release. CustomResourceDefinitions
        and volumes with data are not deleted.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description:
      - Remove addons that are no longer listed in O(addons), and their routes at the gateway.
    type: bool
    default: true
  images:
    description:
      - Images to use instead of those in the manifests, as in O(meshops.istio.application#module:images).
    type: dict
    default: {}
  resources:
    description:
      - "Resource C(requests) and C(limits) of the main container, by addon, for example V({prometheus: {requests:
        {memory: 1Gi}}})."
    type: dict
    default: {}
  storage:
    description:
      - "Size of the persistent volume for data, by addon, for example V({prometheus: 10Gi}), or a dictionary of C(size)
        and C(class). Supported by V(prometheus), V(grafana), V(jaeger) and V(loki)."
      - "Default: no persistent volume, except for Loki. The data are lost when the pod is deleted."
    type: dict
    default: {}
  retention:
    description:
      - "How long data are retained, by addon, for example V({prometheus: 15d}). Supported by V(prometheus) and
        V(loki)."
    type: dict
    default: {}
  prometheus_url:
    description:
      - URL of an existing Prometheus for Kiali and Grafana, as reached from pods in the cluster. Cannot be combined
        with the addon V(prometheus).
    type: str
  kiali:
    description:
      - Settings of Kiali.
    type: dict
    suboptions:
      auth:
        description:
          - "Authentication strategy of Kiali. Default: V(anonymous), as in the release, which gives full access to
            everyone who can reach Kiali."
        type: str
        choices: [anonymous, token, openid, openshift, header]
      config:
        description:
          - Other settings of Kiali's configuration, merged into the configuration of the release.
        type: dict
  grafana:
    description:
      - Settings of Grafana.
    type: dict
    suboptions:
      anonymous_role:
        description:
          - "Role of users who are not logged in. Default: V(Admin), as in the release."
        type: str
        choices: [Admin, Editor, Viewer, none]
      admin_secret:
        description:
          - Name of a Secret in O(namespace) with the credentials of the administrator, C(admin-user) and
            C(admin-password).
        type: str
  expose:
    description:
      - Addons to expose at the ingress gateway. Each addon can be exposed once.
      - HTTPS and a login are required, unless O(allow_http) and O(allow_anonymous) permit otherwise.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description:
          - "Host name of the addons. Default: any host."
        type: str
        default: "*"
      addons:
        description:
          - "Addons to expose. Default: all installed addons that have a web page and are not listed in another item.
            The addons with a web page are V(kiali), V(grafana), V(prometheus), V(jaeger), V(zipkin) and V(skywalking)."
        type: list
        elements: str
      path:
        description:
          - "Path of the web page, for items with a single addon. The addon is configured to serve this path. Default:
            the name of the addon, such as V(/kiali). SkyWalking supports only V(/)."
        type: str
  gateway:
    description:
      - Gateway for O(expose).
    type: dict
    default: {}
    suboptions:
      selector:
        description:
          - "Labels of the gateway's pods. Default: the labels of the ingress gateway, V({istio: ingressgateway})."
        type: dict
      port:
        description:
          - "Port of the gateway's Service. Default: 80, or 443 if O(gateway.secret) is set."
        type: int
      secret:
        description:
          - Name of a TLS Secret in the namespace of the gateway's pods. If set, the addons are served over HTTPS.
        type: str
  allow_http:
    description:
      - Allow O(expose) without O(gateway.secret). Passwords and pages are then sent unencrypted. Intended for internal
        gateways, and for gateways behind a proxy that terminates TLS.
    type: bool
    default: false
  allow_anonymous:
    description:
      - Addons that O(expose) may expose without a login, such as V(prometheus), or V(all).
      - Kiali requires a login with O(kiali.auth), and Grafana with O(grafana.anonymous_role=none) and
        O(grafana.admin_secret). The other addons do not support logins. Protect them with
        M(meshops.istio.authorization), for example.
    type: list
    elements: str
    default: []
  tracing:
    description:
      - Extension provider that receives the traces of the whole mesh, such as V(jaeger), V(zipkin) or V(skywalking). It
        must be one of the extension providers of the mesh, see
        O(meshops.istio.control_plane#module:extension_providers).
      - "Default: tracing is not enabled, and tracing that this module enabled earlier is disabled."
    type: str
  tracing_sampling:
    description:
      - "Percentage of requests to trace. Default: 1."
    type: float
  access_logs:
    description:
      - Extension provider that receives the access logs of the whole mesh. V(envoy) writes them to the logs of the
        proxies.
    type: str
  assume:
    description:
      - Objects to assume in check mode, because an earlier task would create them.
      - "Default: check mode does not check the gateway, its certificate and the extension providers."
    type: dict
    suboptions:
      gateway_namespaces:
        description:
          - Namespaces of gateways that would be created.
        type: list
        elements: str
      providers:
        description:
          - Extension providers that the mesh would have, as in
            RV(meshops.istio.control_plane#module:extension_providers).
        type: list
        elements: str
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.application
"""

EXAMPLES = r"""
- name: Install Kiali and Prometheus, and expose Kiali at the ingress gateway
  meshops.istio.addons:
    version: 1.31.4
    addons: [prometheus, kiali]
    expose:
      - addons: [kiali]
        host: mesh.example.com
  register: addons

- name: Show the URL of Kiali
  ansible.builtin.debug:
    msg: "{{ addons.dashboards.kiali.url }}"

- name: Install all addons of the release with persistent data and a login for Grafana
  meshops.istio.addons:
    version: 1.31.4
    addons: [all]
    storage: {prometheus: 50Gi, grafana: 5Gi}
    retention: {prometheus: 30d}
    resources:
      prometheus: {requests: {cpu: 200m, memory: 1Gi}, limits: {memory: 2Gi}}
    grafana: {anonymous_role: Viewer, admin_secret: grafana-admin}

- name: Install Zipkin, and trace 10 % of the requests
  meshops.istio.addons:
    version: 1.31.4
    addons: [zipkin]
    tracing: zipkin
    tracing_sampling: 10

- name: Remove all addons
  meshops.istio.addons:
    state: absent
"""

RETURN = r"""
addons:
  description: Names of the addons to install. V(all) is replaced by the names of the addons.
  returned: success
  type: list
  elements: str
  sample: [prometheus, kiali]
objects:
  description: Objects of each addon, by its name.
  returned: success
  type: dict
  sample: {zipkin: [{api_version: apps/v1, kind: Deployment, namespace: istio-system, name: zipkin}]}
dashboards:
  description:
    - Web pages by addon. C(service), C(namespace), C(port) and C(path) are for a port-forward, C(cluster_url) is for
      pods in the cluster, and C(url) is the address at the ingress gateway. C(url) is empty if the addon is not exposed
      or the gateway does not have an address yet.
  returned: success
  type: dict
  sample:
    kiali:
      service: kiali
      namespace: istio-system
      port: 20001
      path: /kiali
      cluster_url: http://kiali.istio-system:20001/kiali
      url: http://mesh.example.com/kiali
changes:
  description:
    - Changes that were made, or would be made in check mode, in the order of the plan.
    - The objects themselves are not returned, because there are many. C(kubernetes.core.k8s_info) reads them.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: apps/v1, kind: Deployment, namespace: istio-system, name: kiali}]
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
      sample: apps/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: istio-system
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: kiali
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description:
    - Stable error code, for example V(unknown_addon), V(addons_exclude_each_other), V(provider_missing),
      V(not_installed).
  returned: failure
  type: str
  sample: unknown_addon
details:
  description: Details of the failure. For V(unknown_addon), the available C(addons).
  returned: failure
  type: dict
  sample: {addon: loki, addons: [grafana, jaeger, kiali, prometheus, prometheus-operator, skywalking, zipkin]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.addons import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
