#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: application
short_description: Deploy manifests or Istio samples as an application
version_added: 0.1.0
description:
  - Applies a sample of the Istio release, or manifests from files, directories, URLs and the task itself. Waits until
    all objects are ready, and deletes objects that are no longer part of the application.
  - Objects are applied with server-side apply, and labelled with the name and namespace of the application. The
    ConfigMap C(meshops-istio.application.NAME) in the application's namespace is its inventory. It lists all objects of
    the application, so that objects of any kind can be pruned.
  - An object is deleted only if it is in the inventory, was applied by this application, and is not owned by a
    controller.
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
  name:
    description:
      - Name of the application, unique in its namespace. At most 63 lowercase letters, digits and C(-).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the application, and default namespace of its objects.
    type: str
    default: default
  state:
    description:
      - V(present) applies the objects of the application.
      - V(absent) deletes the objects in the inventory. Manifests are not needed.
    type: str
    choices: [present, absent]
    default: present
  sample:
    description:
      - Name of a sample of the Istio release, for example V(helloworld), V(bookinfo), V(httpbin) or V(curl), or the
        path of a file in the samples of the release.
    type: str
  gateway:
    description:
      - Include the Gateway and the VirtualService of the sample.
    type: bool
    default: true
  version:
    description:
      - The exact Istio version of the sample, for example V(1.31.4). Required with O(sample).
    type: str
  src:
    description:
      - Paths of files and directories, and URLs of manifests.
      - A URL may end with C(#sha256=) and the checksum of its content. This is required for URLs that do not use
        C(https).
      - A dictionary of only C(source) and C(text) is the content of a file that was read earlier.
      - A relative path is searched for on the controller, in the same way as V(src) of M(ansible.builtin.copy), then in
        the current directory.
    type: list
    elements: raw
  definition:
    description:
      - Manifests, as objects or YAML text.
    type: list
    elements: raw
  images:
    description:
      - Images to use instead of those in the manifests, in all containers.
      - A key is an image with or without its tag or digest, or an image prefix that ends with C(/), for a mirror.
        Without a tag or digest, it matches all versions of the image. The longest matching key applies.
      - If a value has no tag or digest, the image keeps its own.
    type: dict
    default: {}
  create_namespaces:
    description:
      - Create the namespaces of the objects if they do not exist. They are not deleted with the application.
      - If V(false), objects in missing namespaces make the module fail before the first write.
    type: bool
    default: false
  prune:
    description:
      - Delete objects that are no longer part of the application.
      - The module does not delete objects with the annotation C(meshops.istio/prune=disabled) or
        C(helm.sh/resource-policy=keep), PersistentVolumeClaims that O(prune_claims) does not list, namespaces that
        contain either of them, and CustomResourceDefinitions of objects that are not deleted. It returns a warning for
        each of them.
    type: bool
    default: true
  prune_claims:
    description:
      - Names of PersistentVolumeClaims to delete, with their data, when they are no longer part of the application.
      - If the namespace of the application is deleted, other claims in it must be listed as well.
      - Patterns are supported, for example V(data-*).
    type: list
    elements: str
    default: []
  wait_for:
    description:
      - Conditions to wait for in addition to the readiness of the objects, within O(wait_timeout).
    type: list
    elements: dict
    suboptions:
      api_version:
        description:
          - "API version of the object. Default: the API version of the application's object of this kind, or the usual
            one of Kubernetes."
        type: str
      kind:
        description:
          - Kind of the object.
        type: str
        required: true
      name:
        description:
          - Name of the object.
        type: str
        required: true
      namespace:
        description:
          - "Namespace of the object. Default: the namespace of the application."
        type: str
      expression:
        description:
          - JMESPath expression for the object. The condition is met when the result is neither empty nor false, for
            example V(status.phase == 'Bound').
        type: str
        required: true
  load_balancer:
    description:
      - Also wait for the addresses of load balancers. Many clusters never assign any.
    type: bool
    default: false
  force:
    description:
      - Take over objects that belong to another application.
      - Also change and delete objects that belong to Helm, Argo CD, Flux or another tool or controller, and fields that
        other field managers have set.
    type: bool
    default: false
requirements:
  - jmespath >= 1.0 (Python package), for O(wait_for)
seealso:
  - module: meshops.istio.injection
"""

EXAMPLES = r"""
- name: Deploy the sample helloworld with its Gateway and VirtualService
  meshops.istio.application:
    name: helloworld
    namespace: shop
    sample: helloworld
    version: 1.31.4

- name: Deploy an application from files and inline manifests
  meshops.istio.application:
    name: shop
    namespace: shop
    src:
      - shop/
      - https://example.com/queue.yaml
    definition:
      - apiVersion: v1
        kind: ConfigMap
        metadata:
          name: shop-settings
        data:
          currency: EUR
    wait_for:
      - kind: PersistentVolumeClaim
        name: queue
        expression: status.phase == 'Bound'

- name: Deploy an application with images from a mirror, and a newer database
  meshops.istio.application:
    name: shop
    namespace: shop
    src: shop/
    images:
      docker.io/: mirror.example.com/hub/
      docker.io/library/mysql: mirror.example.com/hub/library/mysql:8.4

- name: Remove an application
  meshops.istio.application:
    name: shop
    namespace: shop
    state: absent
"""

RETURN = r"""
name:
  description: Name of the application.
  returned: success
  type: str
  sample: helloworld
namespace:
  description: Namespace of the application.
  returned: success
  type: str
  sample: shop
objects:
  description: Objects of the application.
  returned: success
  type: list
  elements: dict
  sample: [{api_version: apps/v1, kind: Deployment, namespace: shop, name: helloworld-v1}]
  contains:
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
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: helloworld-v1
changes:
  description:
    - Changes that were made, or would be made in check mode, in the order of the plan.
    - The objects themselves are not returned, because there are many. C(kubernetes.core.k8s_info) reads them.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: apps/v1, kind: Deployment, namespace: shop, name: helloworld-v1}]
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
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: helloworld-v1
kept:
  description: Objects that are no longer part of the application and were not deleted.
  returned: success
  type: list
  elements: dict
  sample:
    - api_version: v1
      kind: PersistentVolumeClaim
      namespace: shop
      name: orders
      reason: a claim is deleted only if it is asked for by name
  contains:
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: PersistentVolumeClaim
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: shop
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: orders
    reason:
      description: Why the object was not deleted.
      returned: always
      type: str
      sample: a claim is deleted only if it is asked for by name
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: Stable error code, for example V(invalid_input), V(namespace_missing), V(not_ready).
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
from ansible_collections.meshops.istio.plugins.module_utils.tasks.application import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
