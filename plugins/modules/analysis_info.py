#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: analysis_info
short_description: Analyze Istio configuration in a cluster or in manifests (istioctl analyze)
version_added: 0.1.0
description:
  - Runs C(istioctl analyze) of the release on a cluster, or on manifests as if they were applied to it, and returns the
    messages.
  - Fails if the analysis cannot run, for example because a namespace does not exist, Istio is not installed, or
    permissions are missing.
  - Does not write to the cluster.
  - Releases before 1.29.8, 1.30.5 and 1.31.1 would execute programs that are specified in the kubeconfigs of remote
    secrets, the Secrets with the label C(istio/multiCluster) in the namespace of the control plane. For these releases,
    such Secrets are excluded from the analysis, and a warning lists them.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.verdict
  - meshops.istio.attributes.info
options:
  version:
    description:
      - The exact Istio version, for example V(1.31.4).
    type: str
    required: true
  namespaces:
    description:
      - "Namespaces to analyze. Default: all namespaces."
    type: list
    elements: str
  src:
    description:
      - Files, directories and URLs of manifests to analyze as if they were applied.
    type: list
    elements: raw
  definition:
    description:
      - Manifests to analyze as if they were applied, as objects or YAML text.
    type: list
    elements: raw
  namespace:
    description:
      - Namespace of the control plane.
    type: str
    default: istio-system
  revision:
    description:
      - Revision to analyze the configuration for.
    type: str
  timeout:
    description:
      - Timeout of the analysis, in seconds.
    type: int
    default: 120
seealso:
  - module: meshops.istio.precheck
"""

EXAMPLES = r"""
- name: Fail if the configuration of the mesh has errors
  meshops.istio.analysis_info:
    version: 1.31.4

- name: Fail on warnings, but ignore missing sidecars and port names
  meshops.istio.analysis_info:
    version: 1.31.4
    namespaces: [shop]
    fail_on: warning
    tolerate:
      - IST0118
      - IST0103=Pod shop/batch-*

- name: Analyze manifests before they are applied
  meshops.istio.analysis_info:
    version: 1.31.4
    namespaces: [shop]
    src: [routes/]
    fail_on: never
  register: analysis
"""

RETURN = r"""
ok:
  description:
    - V(true) if there are no messages of the level in O(fail_on) or above, except for ignored messages.
    - Always V(true) with O(fail_on=never).
  returned: success, or failure because of a message
  type: bool
  sample: true
messages:
  description: Messages, errors first.
  returned: success, or failure because of a message
  type: list
  elements: dict
  sample:
    - code: IST0101
      level: error
      origin: VirtualService shop/web
      message: 'Referenced host not found: "wep"'
      tolerated: false
  contains:
    code:
      description: Code of the message.
      returned: always
      type: str
      sample: IST0101
    level:
      description: Level of the message, one of V(error), V(warning), V(info).
      returned: always
      type: str
      sample: error
    origin:
      description: Object that the message refers to.
      returned: always
      type: str
      sample: VirtualService shop/web
    message:
      description: Text of the message.
      returned: always
      type: str
      sample: 'Referenced host not found: "wep"'
    tolerated:
      description: V(true) if O(tolerate) matches the message.
      returned: always
      type: bool
      sample: false
    reference:
      description: URL of istioctl's documentation of the message.
      returned: if the message has one
      type: str
      sample: https://istio.io/latest/docs/reference/config/analysis/ist0101/
code:
  description: Stable error code, for example V(analysis_failed), V(namespace_missing), V(forbidden).
  returned: failure
  type: str
  sample: analysis_failed
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {messages: 1}
"""


from ansible_collections.meshops.istio.plugins.module_utils.arguments import RELEASE
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.analysis import refuse_blind
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.charts import defined_resources
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.istioctl import Istioctl
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release_data import SAFE_REMOTE_SECRETS
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import to_json
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_definitions
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result
from ansible_collections.meshops.istio.plugins.module_utils.verdict import VERDICT, verdict


def analyze(module: MeshModule) -> Result:
    """Run the analysis and return its messages."""
    parameters = module.params
    release, _fetched = module.release()
    objects = module.read_sources(parameters["src"] or ())
    objects += read_definitions(parameters["definition"] or ())
    namespaces = parameters["namespaces"] or []
    refuse_blind(module.cluster, namespaces, defined_resources(release))
    istioctl = Istioctl(release, module.cluster, timeout=parameters["timeout"])
    messages = istioctl.analyze(
        namespaces=namespaces,
        manifests=[to_json(obj) for obj in objects],
        system_namespace=parameters["namespace"],
        revision=parameters["revision"] or "",
    )
    if istioctl.hidden:
        module.warn(
            f"The analysis omits the remote clusters of the Secrets {', '.join(sorted(istioctl.hidden))}: istioctl"
            f" {release.version} would run the programs in their kubeconfigs. To analyze several clusters, use Istio"
            f" {', '.join(SAFE_REMOTE_SECRETS)} or newer."
        )
    return verdict(module, messages, check="The analysis", code="analysis_failed")


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "version": {"type": "str", "required": True},
            "namespaces": {"type": "list", "elements": "str"},
            "src": {"type": "list", "elements": "raw"},
            "definition": {"type": "list", "elements": "raw"},
            "namespace": {"type": "str", "default": "istio-system"},
            "revision": {"type": "str"},
            "timeout": {"type": "int", "default": 120},
            **VERDICT,
            **RELEASE,
        }
    )
    module.run(analyze)


if __name__ == "__main__":
    main()
