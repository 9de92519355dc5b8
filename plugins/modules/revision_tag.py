#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: revision_tag
short_description: Manage revision tags of the control plane (istioctl tag)
version_added: 0.1.0
description:
  - Creates the same objects as C(istioctl tag set --overwrite), and removes them. Namespaces and pods whose label
    C(istio.io/rev) is the tag get the sidecars of the revision that the tag points to.
  - Running pods are not changed. M(meshops.istio.restart) restarts the workloads that need it.
  - The tag V(default) serves the label C(istio-injection=enabled), and its revision validates all Istio resources.
    M(meshops.istio.control_plane) sets the tag for the first revision, and does not change a tag that was set
    explicitly.
  - Fails before the first write if the revision does not exist, the tag has the name of a revision, several injectors
    would inject the same pods, or a tag to be removed is in use.
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
      - Name of the tag.
    type: str
    required: true
  state:
    description:
      - V(present) creates the tag or points it to another revision. V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  revision:
    description:
      - Revision that the tag points to. V(default) is the revision without a name.
    type: str
    default: default
  namespace:
    description:
      - Namespace of the control plane.
    type: str
    default: istio-system
  version:
    description:
      - The exact Istio version to create the objects of the tag with, for example V(1.31.4).
      - "Default: the version of the revision."
    type: str
  auto_inject_namespaces:
    description:
      - Also inject sidecars into namespaces without injection labels.
    type: bool
    default: false
  assume_revision:
    description:
      - In check mode, plan as if the revision existed, because an earlier task would create it. Requires O(version).
    type: bool
    default: false
  force:
    description:
      - Create the tag even if another injector would inject the same pods, and remove a tag that is in use.
      - Also change and delete objects that belong to Argo CD, Flux or another tool or controller, and fields that other
        field managers have set.
    type: bool
    default: false
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.injection
  - module: meshops.istio.restart
"""

EXAMPLES = r"""
- name: Point the tag prod to a revision
  meshops.istio.revision_tag:
    name: prod
    revision: 1-28-3

- name: Point the tag prod to a newer revision
  meshops.istio.revision_tag:
    name: prod
    revision: 1-31-4

- name: Use the revision for namespaces labelled istio-injection=enabled
  meshops.istio.revision_tag:
    name: default
    revision: 1-31-4

- name: Remove the tag
  meshops.istio.revision_tag:
    name: prod
    state: absent
"""

RETURN = r"""
changes:
  description: Changes that were made, or would be made in check mode, in the order of the plan.
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
      description: The action, one of V(create), V(update), V(delete).
      returned: always
      type: str
      sample: create
    api_version:
      description: API version of the object.
      returned: always
      type: str
      sample: admissionregistration.k8s.io/v1
    kind:
      description: Kind of the object.
      returned: always
      type: str
      sample: MutatingWebhookConfiguration
    namespace:
      description: Namespace of the object. Empty for cluster-scoped objects.
      returned: always
      type: str
      sample: ""
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: istio-revision-tag-prod
resources:
  description:
    - The objects that the module manages, as the API server returned them, or in check mode as they would be. Values of
      secrets are hidden, and C(managedFields) left out.
    - C(status) is that of the last read or write, before the module waited.
  returned: success
  type: list
  elements: dict
  sample: [{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: istio-revision-tag-prod}}]
plan_digest:
  description: Digest of the plan, for use as O(plan_digest). The same changes to the same objects have the same digest.
  returned: success
  type: str
  sample: 6fd5aa5b6e36fa1d57b3b53f2e54a9a1b8ddad39bfd9a6a8b6a8a7e5e63fae58
name:
  description: Name of the tag.
  returned: success
  type: str
  sample: prod
revision:
  description: Revision that the tag points to. Empty if the tag was removed.
  returned: success
  type: str
  sample: 1-31-4
previous_revision:
  description: Revision that the tag pointed to before. Empty if the tag did not exist.
  returned: success
  type: str
  sample: 1-28-3
code:
  description: Stable error code, for example V(revision_missing), V(name_taken), V(in_use).
  returned: failure
  type: str
  sample: revision_missing
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {revisions: [default]}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.revision_tag import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
