#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: application
short_description: Apply a set of manifests as one unit
version_added: 0.1.0
description:
  - Applies a sample of the Istio release, or manifests from files, folders, URLs and the task itself, waits until all of
    it is ready, and deletes what the application contained earlier and no longer does.
  - Objects are applied on the server's side, and labelled with the application's name and namespace. A ConfigMap
    C(meshops-istio.application.NAME) in the application's namespace is its inventory, which lists them, so that what is
    no longer part of it is found again, of whatever kind.
  - An object is deleted only if it is in the inventory, this application has applied it, and no controller owns it.
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
      - The name of the application, unique in its namespace. At most 63 lower-case letters, digits and C(-).
    type: str
    required: true
  namespace:
    description:
      - The namespace of the application, and of those of its objects that name none.
    type: str
    default: default
  state:
    description:
      - Whether the application is to be there.
      - V(absent) deletes what its inventory lists. Manifests need not be given.
    type: str
    choices: [present, absent]
    default: present
  sample:
    description:
      - A sample of the Istio release by its name, for example V(helloworld), V(bookinfo), V(httpbin), V(curl), or the path
        of a file below the release's samples.
    type: str
  gateway:
    description:
      - Whether the Gateway and the VirtualService that come with the sample are part of the application.
    type: bool
    default: true
  version:
    description:
      - The Istio version that the sample is of, exactly. Required with O(sample).
    type: str
  src:
    description:
      - Paths of files, paths of folders of files, and URLs of manifests. A URL may end in C(#sha256=) and the checksum
        of what it holds, and has to where it is not C(https). A map of nothing but C(source) and C(text) is a file that
        was read elsewhere.
      - A relative path is looked up on the controller, as V(src) of M(ansible.builtin.copy) is, and then in the current
        folder.
    type: list
    elements: raw
  definition:
    description:
      - Manifests themselves, as objects or as YAML texts.
    type: list
    elements: raw
  images:
    description:
      - Images that take the place of those in the manifests, wherever these have containers.
      - A key is an image with its tag or digest; or without, for whatever version of it is there; or the beginning of
        images, ending in C(/), for a mirror. The longest that fits is taken.
      - A value without a tag or digest leaves those of the manifest.
    type: dict
    default: {}
  create_namespaces:
    description:
      - Whether to create the namespaces that the objects are in, where they do not exist. They stay when the application
        goes. Otherwise such objects are refused, before anything is written.
    type: bool
    default: false
  prune:
    description:
      - Whether to delete what the application contained earlier and no longer does.
      - An object with the annotation C(meshops.istio/prune=disabled) or C(helm.sh/resource-policy=keep) is kept, and so
        are PersistentVolumeClaims that O(prune_claims) does not name, namespaces that hold either, and
        CustomResourceDefinitions whose objects are kept. A warning names what is kept.
    type: bool
    default: true
  prune_claims:
    description:
      - Names of PersistentVolumeClaims to delete, with what is stored there, once they are no longer part of the
        application, and, where a namespace of the application is deleted, of any other claims in it. Patterns such as
        V(data-*) are allowed.
    type: list
    elements: str
    default: []
  wait_for:
    description:
      - Conditions to wait for beyond the objects being ready, within the same O(wait_timeout).
    type: list
    elements: dict
    suboptions:
      api_version:
        description:
          - The API version of the object. Without it that of the application's own object of this kind, or the usual
            one of Kubernetes.
        type: str
      kind:
        description:
          - The kind of the object.
        type: str
        required: true
      name:
        description:
          - The name of the object.
        type: str
        required: true
      namespace:
        description:
          - The namespace of the object. Without it the application's.
        type: str
      expression:
        description:
          - A JMESPath expression over the object that is to yield something, for example
            V(status.phase == 'Bound').
        type: str
        required: true
  load_balancer:
    description:
      - Whether to wait for the addresses of its load balancers too, which many clusters never assign.
    type: bool
    default: false
  force:
    description:
      - Whether to take over objects that belong to another application.
      - Also whether to change and delete objects that belong to Helm, Argo CD, Flux or another tool or controller, and
        fields that other field managers have set.
    type: bool
    default: false
requirements:
  - jmespath >= 1.0 (Python package), for O(wait_for)
seealso:
  - module: meshops.istio.injection
"""

EXAMPLES = r"""
- name: Deploy the sample helloworld, with its Gateway and VirtualService
  meshops.istio.application:
    name: helloworld
    namespace: shop
    sample: helloworld
    version: 1.29.1

- name: Deploy an application from files and the task itself
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

- name: Deploy an application with its images from a mirror, and a newer database
  meshops.istio.application:
    name: shop
    namespace: shop
    src: shop/
    images:
      docker.io/: mirror.example.com/hub/
      docker.io/library/mysql: mirror.example.com/hub/library/mysql:8.4

- name: Remove it
  meshops.istio.application:
    name: shop
    namespace: shop
    state: absent
"""

RETURN = r"""
name:
  description: The application's name.
  returned: success
  type: str
  sample: helloworld
namespace:
  description: The application's namespace.
  returned: success
  type: str
  sample: shop
objects:
  description: What the application consists of.
  returned: success
  type: list
  elements: dict
  sample: [{api_version: apps/v1, kind: Deployment, namespace: shop, name: helloworld-v1}]
  contains:
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
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: helloworld-v1
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample: [{action: create, api_version: apps/v1, kind: Deployment, namespace: shop, name: helloworld-v1}]
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
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: helloworld-v1
kept:
  description: What is no longer part of the application and yet not deleted.
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
      description: The object's API version.
      returned: always
      type: str
      sample: v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: PersistentVolumeClaim
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: shop
    name:
      description: The object's name.
      returned: always
      type: str
      sample: orders
    reason:
      description: Why it is kept.
      returned: always
      type: str
      sample: a claim is deleted only if it is asked for by name
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(namespace_missing), V(not_ready).
  returned: failure
  type: str
  sample: not_ready
details:
  description: What is known about the failure. For V(not_ready) the objects with their conditions, pods and events.
  returned: failure
  type: dict
  sample: {timeout: 300, objects: []}
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.arguments import MIRROR, PLAN, RECREATE, RELEASE, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.application.unit import (
    Application,
    missing_namespaces,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.samples import find_sample
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.builtin_kinds import BUILT_IN
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.images import replace_images, with_pull_secrets
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Key, Kind, key_of
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.plan import Plan
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.unit import Unit
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.jmespath_condition import condition
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.status import status
from ansible_collections.meshops.istio.plugins.module_utils.kube.wait.wait import Expectation, wait_ready
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_definitions
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

CONDITION = {
    "api_version": {"type": "str"},
    "kind": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "expression": {"type": "str", "required": True},
}

Object = dict[str, Any]


def present(module: MeshModule) -> Result:
    """Apply the application, and wait for it."""
    parameters, cluster = module.params, module.cluster
    application = Application(parameters["name"], parameters["namespace"])
    objects = application.placed(cluster, manifests(module), guess=module.check_mode)
    conditions = [awaited(module, one, objects) for one in parameters["wait_for"] or ()]
    namespaces = missing_namespaces(cluster, objects) if parameters["create_namespaces"] else []
    deadline = time.monotonic() + module.time_limit
    unit = application.unit([*namespaces, *objects], prune=parameters["prune"], claims=parameters["prune_claims"])
    result = reconcile(
        module,
        application,
        unit,
        lambda plan: application.check(cluster, plan, force=parameters["force"], check_mode=module.check_mode),
    )
    if parameters["wait"] and not module.check_mode:
        if parameters["load_balancer"]:
            services = [key_of(obj) for obj in objects if obj["kind"] == "Service"]
            conditions.append((services, partial(status, load_balancer=True)))
        for keys, expect in conditions:
            left = max(0.0, deadline - time.monotonic())
            wait_ready(cluster, keys, timeout=left, progress=module.progress, expect=expect)
    return {**identity(application), "objects": [dict(key_of(obj)._asdict()) for obj in objects], **result}


def absent(module: MeshModule) -> Result:
    """Delete what the application contains."""
    application = Application(module.params["name"], module.params["namespace"])
    unit = application.unit([], claims=module.params["prune_claims"])
    return {**identity(application), "objects": [], **reconcile(module, application, unit)}


def reconcile(
    module: MeshModule, application: Application, unit: Unit, checks: Callable[[Plan], None] | None = None
) -> Result:
    """As the module's own, with what is kept."""
    kept: list[Result] = []

    def check(plan: Plan) -> None:
        if checks is not None:
            checks(plan)
        kept[:] = [one.summary for one in plan.kept]

    return {**module.reconcile(unit, lock=application.lock, checks=check), "kept": kept}


def identity(application: Application) -> Result:
    """The application in a result."""
    return {"name": application.name, "namespace": application.namespace}


def manifests(module: MeshModule) -> list[Object]:
    """All that the options name, in the order sample, src, definition, with its images replaced, and how they are pulled."""
    parameters = module.params
    found: list[Object] = []
    if parameters["sample"]:
        release, _fetched = module.release()
        sample = find_sample(release, parameters["sample"])
        files = [*sample.manifests, *(sample.gateways if parameters["gateway"] else ())]
        found += module.read_sources([str(path) for path in files])
    found += module.read_sources(parameters["src"] or ())
    found += read_definitions(parameters["definition"] or ())
    if not found:
        raise InvalidInput(
            "There is nothing to apply: sample, src and definition hold no objects; state absent removes."
        )
    replaced = replace_images(found, parameters["images"], parameters["mirrors"])
    return with_pull_secrets(replaced, parameters["pull_secrets"])


def awaited(module: MeshModule, given: Object, objects: list[Object]) -> tuple[list[Key], Expectation]:
    """What an entry of wait_for waits for."""
    module.require("jmespath")
    kind = given["kind"]
    versions = [given["api_version"], *(obj["apiVersion"] for obj in objects if obj["kind"] == kind)]
    versions += [known.api_version for known in BUILT_IN if known.kind == kind]
    version = next(filter(None, versions), None)
    if version is None:
        raise InvalidInput(f"wait_for names the kind {kind} without its api_version; give it.", kind=kind)
    namespaced = module.cluster.namespaced(Kind(version, kind))
    namespace = (given["namespace"] or module.params["namespace"]) if namespaced else ""
    return [Key(version, kind, namespace, given["name"])], condition(given["expression"])


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "default": "default"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "sample": {"type": "str"},
            "gateway": {"type": "bool", "default": True},
            "version": {"type": "str"},
            "src": {"type": "list", "elements": "raw"},
            "definition": {"type": "list", "elements": "raw"},
            "images": {"type": "dict", "default": {}},
            "create_namespaces": {"type": "bool", "default": False},
            "prune": {"type": "bool", "default": True},
            "prune_claims": {"type": "list", "elements": "str", "default": []},
            "wait_for": {"type": "list", "elements": "dict", "options": CONDITION},
            "load_balancer": {"type": "bool", "default": False},
            **RELEASE,
            **MIRROR,
            **PLAN,
            **RECREATE,
            **WAIT,
        },
        required_if=[("state", "present", ["sample", "src", "definition"], True)],
        required_by={"sample": ["version"]},
    )
    module.run(present if module.params["state"] == "present" else absent)


if __name__ == "__main__":
    main()
