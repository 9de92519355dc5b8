#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: revision_tag
short_description: Point a tag at a revision of Istio's control plane, or remove the tag
version_added: 0.1.0
description:
  - Makes the cluster hold the objects that C(istioctl tag set --overwrite) would leave, and removes them. Namespaces and
    pods labelled C(istio.io/rev) with the tag get the sidecars of the revision that it points at.
  - Pods that run already keep what they have. M(meshops.istio.restart) restarts those that need it.
  - The tag V(default) stands for the label C(istio-injection=enabled), and has that revision check all Istio resources.
    M(meshops.istio.control_plane) gives it to the first revision, and leaves it where it was set on purpose.
  - Refuses, before the first write, a revision that is not there, a tag with the name of a revision, injectors that
    would inject the same pods, and to remove a tag that is in use.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.plan
  - meshops.istio.wait
  - meshops.istio.attributes
options:
  name:
    description:
      - The tag.
    type: str
    required: true
  state:
    description:
      - Whether the tag is to be there.
    type: str
    choices: [present, absent]
    default: present
  revision:
    description:
      - The revision that the tag is to point at, V(default) for the one without a name.
    type: str
    default: default
  namespace:
    description:
      - The namespace of the control plane.
    type: str
    default: istio-system
  version:
    description:
      - The Istio release that the tag's objects are made with, exactly, for example V(1.29.1).
      - Without it the version of the revision.
    type: str
  auto_inject_namespaces:
    description:
      - Whether the tag also takes namespaces into the mesh that have no label at all.
    type: bool
    default: false
  assume_revision:
    description:
      - In check mode, whether to plan as if the revision were there where it is not yet, because something that comes
        before brings it. Needs O(version).
    type: bool
    default: false
  force:
    description:
      - Whether to set a tag that another one's injector gets in the way of, and to remove one that is in use.
      - Also whether to change and delete objects that belong to Argo CD, Flux or another tool or controller, and fields
        that other field managers have set.
    type: bool
    default: false
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.injection
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Let the tag prod point at a revision
  meshops.istio.revision_tag:
    name: prod
    revision: 1-28-3

- name: Move it to a newer one, and let the namespaces that follow it have new sidecars
  meshops.istio.revision_tag:
    name: prod
    revision: 1-29-1

- name: Have that revision serve namespaces labelled istio-injection=enabled
  meshops.istio.revision_tag:
    name: default
    revision: 1-29-1

- name: Remove the tag
  meshops.istio.revision_tag:
    name: prod
    state: absent
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in the order of the plan.
  returned: success
  type: list
  elements: dict
  sample:
    - action: create
      api_version: admissionregistration.k8s.io/v1
      kind: MutatingWebhookConfiguration
      namespace: ""
      name: istio-revision-tag-prod
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
      sample: admissionregistration.k8s.io/v1
    kind:
      description: The object's kind.
      returned: always
      type: str
      sample: MutatingWebhookConfiguration
    namespace:
      description: The object's namespace, empty where it has none.
      returned: always
      type: str
      sample: ""
    name:
      description: The object's name.
      returned: always
      type: str
      sample: istio-revision-tag-prod
plan_digest:
  description: Names the plan, for O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
name:
  description: The tag.
  returned: success
  type: str
  sample: prod
revision:
  description: The revision that the tag points at, empty where it is removed.
  returned: success
  type: str
  sample: 1-29-1
previous_revision:
  description: The revision that the tag pointed at before, empty where there was no such tag.
  returned: success
  type: str
  sample: 1-28-3
code:
  description: What went wrong, as one stable word, for example V(revision_missing), V(name_taken), V(in_use).
  returned: failure
  type: str
  sample: revision_missing
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {revisions: [default]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.arguments import PLAN, RELEASE, WAIT
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane import tag_objects
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import Options
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.render import Renderer
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision_tag import RevisionTag
from ansible_collections.meshops.istio.plugins.module_utils.istio.model.ownership import LOCK
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def present(module: MeshModule, tag: RevisionTag) -> Result:
    """Create the tag, or point it at another revision."""
    parameters = module.params
    revision = parameters["revision"]
    assumed = module.check_mode and parameters["assume_revision"] and bool(parameters["version"])
    tag.refuse(revision, assumed=assumed)
    injector = tag.injector_of(revision)
    version = parameters["version"] or (tag_objects.version_of(injector) if injector is not None else None)
    release, _fetched = module.release(version)
    if injector is None:
        expected = Options(
            revision="" if revision == tag_objects.DEFAULT else revision, namespace=parameters["namespace"]
        )
        injector = ControlPlane(release, expected, module.cluster, cache_dir=parameters["cache_dir"]).injector
    unit = tag.pointing_at(
        injector,
        Renderer(release, module.cluster, parameters["cache_dir"]),
        inject_by_default=parameters["auto_inject_namespaces"],
        assumed=assumed,
    )
    result = module.reconcile(unit, lock=LOCK, checks=None if parameters["force"] else tag.check)
    return {**result, "name": tag.name, "revision": revision, "previous_revision": tag.revision}


def absent(module: MeshModule, tag: RevisionTag) -> Result:
    """Remove the tag."""
    checks = None if module.params["force"] else tag.refuse_in_use
    result = module.reconcile(tag.removed(), lock=LOCK, checks=checks)
    return {**result, "name": tag.name, "revision": "", "previous_revision": tag.revision}


def bring(module: MeshModule) -> Result:
    """Bring the tag to its state."""
    tag = RevisionTag(module.cluster, module.params["name"], module.params["namespace"])
    return (present if module.params["state"] == "present" else absent)(module, tag)


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "revision": {"type": "str", "default": "default"},
            "namespace": {"type": "str", "default": "istio-system"},
            "version": {"type": "str"},
            "auto_inject_namespaces": {"type": "bool", "default": False},
            "assume_revision": {"type": "bool", "default": False},
            **RELEASE,
            **PLAN,
            **WAIT,
        }
    )
    module.run(bring)


if __name__ == "__main__":
    main()
