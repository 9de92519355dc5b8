#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: injected_manifest
short_description: Inject sidecars into manifests (istioctl kube-inject)
version_added: 0.1.0
description:
  - Returns manifests with injected sidecars, as C(istioctl kube-inject) of the release does, for namespaces without
    injection labels. M(meshops.istio.application) applies them.
  - Uses the injection configuration of the cluster, or the configuration in the options, which does not need a cluster.
  - Does not write to the cluster.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.attributes.info
options:
  version:
    description:
      - The exact Istio version, for example V(1.31.4). It must be the version of the control plane.
    type: str
    required: true
  src:
    description:
      - Files, directories and URLs of manifests.
    type: list
    elements: raw
  definition:
    description:
      - Manifests, as objects or YAML text.
    type: list
    elements: raw
  namespace:
    description:
      - Namespace of the control plane.
    type: str
    default: istio-system
  revision:
    description:
      - Revision of the sidecars.
    type: str
  injector_config:
    description:
      - Injection configuration as text, as in C(config) of the ConfigMap C(istio-sidecar-injector).
      - "O(injector_config), O(mesh_config) and O(injector_values) are required together. Default: the configuration of
        the cluster."
    type: str
  mesh_config:
    description:
      - Mesh configuration as text, as in C(mesh) of the ConfigMap C(istio).
    type: str
  injector_values:
    description:
      - Injection values as JSON text, as in C(values) of the ConfigMap C(istio-sidecar-injector).
    type: str
seealso:
  - module: meshops.istio.application
  - module: meshops.istio.injection
"""

EXAMPLES = r"""
- name: Inject sidecars into an application
  meshops.istio.injected_manifest:
    version: 1.31.4
    src: [shop/]
  register: shop

- name: Apply the injected manifests
  meshops.istio.application:
    name: shop
    namespace: shop
    definition: "{{ shop.objects }}"

- name: Inject sidecars without a cluster, with a saved configuration
  meshops.istio.injected_manifest:
    version: 1.31.4
    src: [shop/]
    injector_config: "{{ lookup('ansible.builtin.file', 'injector.yaml') }}"
    mesh_config: "{{ lookup('ansible.builtin.file', 'mesh.yaml') }}"
    injector_values: "{{ lookup('ansible.builtin.file', 'values.json') | string }}"
"""

RETURN = r"""
objects:
  description:
    - All objects in their original order, with injected sidecars.
    - The objects are complete and can be applied. Set C(no_log) if they include Secrets.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {}}]
injected:
  description: Objects with an injected sidecar.
  returned: success
  type: list
  elements: str
  sample: [Deployment web]
code:
  description: Stable error code, for example V(istioctl_failed), V(invalid_input), V(unreachable).
  returned: failure
  type: str
  sample: istioctl_failed
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {output: could not read the injector}
"""

from ansible_collections.meshops.istio.plugins.module_utils.arguments import RELEASE
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.istioctl import Istioctl
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import to_json
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_definitions
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

CONFIGURATION = ("injector_config", "mesh_config", "injector_values")


def inject(module: MeshModule) -> Result:
    """Return the manifests with injected sidecars."""
    parameters = module.params
    release, _fetched = module.release()
    objects = module.read_sources(parameters["src"] or ())
    objects += read_definitions(parameters["definition"] or ())
    if not objects:
        raise InvalidInput("Cannot inject sidecars: no objects found in src and definition. Add some.")
    injector, mesh_config, values = (parameters[name] or "" for name in CONFIGURATION)
    cluster = None if injector else module.cluster
    if cluster:
        cluster.version()  # fails for an unreachable cluster with a better message than istioctl's
    after = Istioctl(release, cluster).inject(
        "\n---\n".join(map(to_json, objects)),
        revision=parameters["revision"] or "",
        system_namespace=parameters["namespace"],
        injector=injector,
        mesh_config=mesh_config,
        values=values,
    )
    # Only workloads are injected.
    before = {key_of(obj): obj for obj in objects}
    injected = [str(key_of(obj)) for obj in after if "istio-proxy" in str(obj) and before.get(key_of(obj)) != obj]
    return {"changed": False, "objects": after, "injected": injected}


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "version": {"type": "str", "required": True},
            "src": {"type": "list", "elements": "raw"},
            "definition": {"type": "list", "elements": "raw"},
            "namespace": {"type": "str", "default": "istio-system"},
            "revision": {"type": "str"},
            **{name: {"type": "str"} for name in CONFIGURATION},
            **RELEASE,
        },
        required_one_of=[("src", "definition")],
        required_together=[CONFIGURATION],
        returned_whole=("objects",),
    )
    module.run(inject)


if __name__ == "__main__":
    main()
