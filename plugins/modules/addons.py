#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: addons
short_description: Install Kiali, Prometheus, Grafana, Jaeger and the other addons of an Istio release
version_added: 0.1.0
description:
  - Applies the addons that come with the Istio release, from its own C(samples/addons), with the settings below worked
    into them, and waits until they are ready. What was installed by this module before and is not wanted any more goes.
  - Shows them at the ingress gateway, and switches tracing and access logs on for the whole mesh by Istio's Telemetry
    API, where that is asked for.
  - Refuses, before the first write, an addon that the release does not have, and two that bring the same object, as all
    tracing backends do.
  - The release says of its addons that they are made to get going quickly, not for production.
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
      - The addons by their names, which are those of the release's files, such as V(kiali), V(prometheus), V(grafana),
        V(jaeger), V(loki), and of the extras V(zipkin), V(skywalking), V(prometheus-operator). V(all) is all but the
        extras.
      - V(prometheus-operator) is monitors for a Prometheus of that operator, whose CRDs have to be there.
      - Required with O(state=present). With O(state=absent) those that are to go, by default all.
    type: list
    elements: str
  version:
    description:
      - The Istio version that the addons are of, exactly. Required with O(state=present).
    type: str
  namespace:
    description:
      - The namespace of the control plane, which is that of its addons.
    type: str
    default: istio-system
  state:
    description:
      - Whether the addons are to be there. V(absent) needs no release. Volumes with data stay, and so do CRDs.
    type: str
    choices: [present, absent]
    default: present
  prune:
    description:
      - Whether to remove the addons, and what shows them, that are no longer among O(addons).
    type: bool
    default: true
  images:
    description:
      - Images that take the place of those in the manifests, as in M(meshops.istio.application).
    type: dict
    default: {}
  resources:
    description:
      - By addon C(requests) and C(limits) of the container that does its work.
    type: dict
    default: {}
  storage:
    description:
      - By addon the size of a volume of its own for its data, such as V(10Gi), or a map of C(size) and C(class). For
        V(prometheus), V(grafana), V(jaeger) and V(loki). Without one the data go with the pod, except Loki's.
    type: dict
    default: {}
  retention:
    description:
      - By addon how long it keeps its data, such as V(15d). For V(prometheus) and V(loki).
    type: dict
    default: {}
  prometheus_url:
    description:
      - The URL, as pods of the cluster reach it, of a Prometheus that exists already. Kiali and Grafana ask it then.
        Not together with the addon V(prometheus).
    type: str
  kiali:
    description:
      - How Kiali is to be.
    type: dict
    suboptions:
      auth:
        description:
          - How its users log in. The release's own is V(anonymous), with which everybody who reaches it may do
            everything.
        type: str
        choices: [anonymous, token, openid, openshift, header]
      config:
        description:
          - Anything else of Kiali's own configuration, laid over the release's key by key.
        type: dict
  grafana:
    description:
      - How Grafana is to be.
    type: dict
    suboptions:
      anonymous_role:
        description:
          - What somebody may do who has not logged in. The release's own is V(Admin).
        type: str
        choices: [Admin, Editor, Viewer, none]
      admin_secret:
        description:
          - A Secret in O(namespace) with the administrator's C(admin-user) and C(admin-password).
        type: str
  expose:
    description:
      - Addons to show at the ingress gateway. Each has one place.
      - They are shown by HTTPS and to users who log in, unless O(allow_http) and O(allow_anonymous) say otherwise.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description:
          - The host that they are at, by default any.
        type: str
        default: "*"
      addons:
        description:
          - The addons, by default all chosen ones that have a page and that no other entry names. Those with a page are
            V(kiali), V(grafana), V(prometheus), V(jaeger), V(zipkin), V(skywalking).
        type: list
        elements: str
      path:
        description:
          - The path of the page, which the program is told too. By default its name, such as V(/kiali). Only for one
            addon. SkyWalking knows only V(/).
        type: str
  gateway:
    description:
      - The gateway that O(expose) uses.
    type: dict
    default: {}
    suboptions:
      selector:
        description:
          - The labels of the gateway's pods. By default those of the ingress gateway, C(istio=ingressgateway).
        type: dict
      port:
        description:
          - The port of the gateway's Service. By default 80, and with O(gateway.secret) 443.
        type: int
      secret:
        description:
          - A Secret with a certificate and its key, in the namespace of the gateway's pods. With one it is HTTPS.
        type: str
  allow_http:
    description:
      - Whether O(expose) may do without O(gateway.secret), so that passwords and pages travel unencrypted. For gateways
        that are reached from inside only, or behind something that ends TLS.
    type: bool
    default: false
  allow_anonymous:
    description:
      - Addons that O(expose) may show to anybody who reaches the gateway, such as V(prometheus), or V(all). Kiali and
        Grafana ask for a login by O(kiali.auth), and O(grafana.anonymous_role=none) with O(grafana.admin_secret). The
        others have none, and are protected by something before them only, as by M(meshops.istio.authorization).
    type: list
    elements: str
    default: []
  tracing:
    description:
      - The provider that gets the traces of the whole mesh, such as V(jaeger), V(zipkin), V(skywalking), or another one
        of the mesh. It has to be among the mesh's extension providers, see
        O(meshops.istio.control_plane#module:extension_providers).
      - Without it nothing is switched on, and what this module has switched on is switched off.
    type: str
  tracing_sampling:
    description:
      - Of how many requests traces are kept, in percent. By default 1.
    type: float
  access_logs:
    description:
      - The provider that gets the access logs of the whole mesh. V(envoy) writes them to the proxies' own logs.
    type: str
  assume:
    description:
      - In check mode, what to reckon with that is not there yet, because something that comes before brings it.
      - Without it, check mode does not look at the gateway, its certificate and the providers.
    type: dict
    suboptions:
      gateway_namespaces:
        description:
          - The namespaces of gateways that are to come.
        type: list
        elements: str
      providers:
        description:
          - The providers that the mesh will be told of, as C(extension_providers) of M(meshops.istio.control_plane)'s
            result names them.
        type: list
        elements: str
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.application
"""

EXAMPLES = r"""
- name: Install Kiali with its Prometheus, and show Kiali at the ingress gateway
  meshops.istio.addons:
    version: 1.29.1
    addons: [prometheus, kiali]
    expose:
      - addons: [kiali]
        host: mesh.example.com
  register: addons

- name: Tell where it is
  ansible.builtin.debug:
    msg: "{{ addons.dashboards.kiali.url }}"

- name: Install all that the release has, with data that stay and logins
  meshops.istio.addons:
    version: 1.29.1
    addons: [all]
    storage: {prometheus: 50Gi, grafana: 5Gi}
    retention: {prometheus: 30d}
    resources:
      prometheus: {requests: {cpu: 200m, memory: 1Gi}, limits: {memory: 2Gi}}
    grafana: {anonymous_role: Viewer, admin_secret: grafana-admin}

- name: Zipkin, which gets a tenth of the traces
  meshops.istio.addons:
    version: 1.29.1
    addons: [zipkin]
    tracing: zipkin
    tracing_sampling: 10

- name: Remove them
  meshops.istio.addons:
    state: absent
"""

RETURN = r"""
addons:
  description: The addons that are to be there, those of V(all) by their names.
  returned: success
  type: list
  elements: str
  sample: [prometheus, kiali]
dashboards:
  description:
    - By addon where its page is. C(service), C(namespace), C(port) and C(path) are for a port-forward, C(cluster_url) is
      for pods, and C(url) is where the ingress gateway shows it, empty where it does not or has no address yet.
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
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: apps/v1, kind: Deployment, namespace: istio-system, name: kiali}]
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
      sample: apps/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: Deployment
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: istio-system
    name:
      description: The object's name.
      returned: always
      type: str
      sample: kiali
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description:
    - What went wrong, as one stable word, for example V(unknown_addon), V(addons_exclude_each_other),
      V(provider_missing), V(not_installed).
  returned: failure
  type: str
  sample: unknown_addon
details:
  description: What is known about the failure. For V(unknown_addon) the C(addons) that there are.
  returned: failure
  type: dict
  sample: {addon: loki, addons: [grafana, jaeger, kiali, prometheus, prometheus-operator, skywalking, zipkin]}
"""

from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.arguments import MIRROR, PLAN, RECREATE, RELEASE, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.access import refuse_open
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.catalogue import ALL, chosen, manifests
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.exposure import (
    Gate,
    dashboards,
    exposed,
    set_paths,
    traffic,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.settings import apply_settings
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.telemetry import telemetry
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.unit import Addons, Assumed
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.images import replace_images, with_pull_secrets
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

KIALI = {
    "auth": {"type": "str", "choices": ["anonymous", "token", "openid", "openshift", "header"]},
    "config": {"type": "dict"},
}
GRAFANA = {
    "anonymous_role": {"type": "str", "choices": ["Admin", "Editor", "Viewer", "none"]},
    "admin_secret": {"type": "str", "no_log": False},
}
EXPOSE = {
    "host": {"type": "str", "default": "*"},
    "addons": {"type": "list", "elements": "str"},
    "path": {"type": "str"},
}
GATEWAY = {
    "selector": {"type": "dict"},
    "port": {"type": "int"},
    "secret": {"type": "str", "no_log": False},
}
ASSUME = {
    "gateway_namespaces": {"type": "list", "elements": "str"},
    "providers": {"type": "list", "elements": "str"},
}


def present(module: MeshModule) -> Result:
    """Apply the addons, and wait for them."""
    parameters, cluster, addons = module.params, module.cluster, Addons(module.params["namespace"])
    release, _fetched = module.release()
    names = chosen(release, parameters["addons"] or ())
    found = manifests(release, names, addons.namespace)
    for warning in apply_settings(found, parameters):
        module.warn(warning)
    gate, shown = Gate.of(parameters["gateway"]), exposed(parameters["expose"], names)
    refuse_open(
        shown,
        found,
        gate,
        parameters,
        allow_http=parameters["allow_http"],
        allow_anonymous=parameters["allow_anonymous"],
    )
    set_paths(shown, found)
    objects = [obj for name in names for obj in addons.placed(cluster, found[name], name)]
    providers = {option: parameters[option] or "" for option in ("tracing", "access_logs")}
    of_all = [
        *traffic(shown, found, addons.namespace, gate),
        *telemetry(**providers, sampling=parameters["tracing_sampling"], namespace=addons.namespace),
    ]
    replaced = replace_images(objects, parameters["images"], parameters["mirrors"])
    result = module.reconcile(
        addons.unit(
            [*with_pull_secrets(replaced, parameters["pull_secrets"]), *addons.placed(cluster, of_all)],
            prune=parameters["prune"],
            check_mode=module.check_mode,
        ),
        lock=addons.lock,
        checks=lambda plan: addons.check(
            cluster,
            plan,
            providers=providers,
            minor=release.minor,
            check_mode=module.check_mode,
            assumed=Assumed.of(parameters["assume"]),
        ),
    )
    return {"addons": names, "dashboards": dashboards(cluster, shown, found, gate), **result}


def absent(module: MeshModule) -> Result:
    """Remove the addons, or those that are named."""
    named: list[str] = module.params["addons"] or []
    addons = Addons(module.params["namespace"])
    unit = addons.unit([], only=[] if ALL in named else named)
    return {"addons": [], "dashboards": {}, **module.reconcile(unit, lock=addons.lock)}


def main() -> None:
    """Run the module."""
    spec: dict[str, Any] = {
        "addons": {"type": "list", "elements": "str"},
        "version": {"type": "str"},
        "namespace": {"type": "str", "default": "istio-system"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "prune": {"type": "bool", "default": True},
        "images": {"type": "dict", "default": {}},
        "resources": {"type": "dict", "default": {}},
        "storage": {"type": "dict", "default": {}},
        "retention": {"type": "dict", "default": {}},
        "prometheus_url": {"type": "str"},
        "kiali": {"type": "dict", "options": KIALI},
        "grafana": {"type": "dict", "options": GRAFANA},
        "expose": {"type": "list", "elements": "dict", "options": EXPOSE, "default": []},
        "gateway": {"type": "dict", "options": GATEWAY, "default": {}},
        "allow_http": {"type": "bool", "default": False},
        "allow_anonymous": {"type": "list", "elements": "str", "default": []},
        "tracing": {"type": "str"},
        "tracing_sampling": {"type": "float"},
        "access_logs": {"type": "str"},
        "assume": {"type": "dict", "options": ASSUME},
        **RELEASE,
        **MIRROR,
        **PLAN,
        **RECREATE,
        **WAIT,
    }
    module = MeshModule(spec, required_if=[("state", "present", ["addons", "version"])])
    module.run(present if module.params["state"] == "present" else absent)


if __name__ == "__main__":
    main()
