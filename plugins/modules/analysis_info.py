#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: analysis_info
short_description: Analyze the configuration of a mesh
version_added: 0.1.0
description:
  - Runs the release's own C(istioctl analyze) over a cluster, or over manifests as if they were applied to it, and
    returns its messages as data.
  - Fails where the analysis could not run, instead of having nothing to say - a namespace that does not exist, a
    cluster without Istio, missing permissions.
  - Writes nothing to the cluster.
  - A release before 1.29.8, 1.30.5 or 1.31.1 would run the programs that kubeconfigs in remote secrets name, which are the
    Secrets of the control plane's namespace with the label C(istio/multiCluster). It is not shown those, and a warning
    names what was left out.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.verdict
  - meshops.istio.attributes.info
options:
  version:
    description:
      - The Istio version, exactly, for example V(1.29.1).
    type: str
    required: true
  namespaces:
    description:
      - The namespaces to analyze. Without it all.
    type: list
    elements: str
  src:
    description:
      - Files, folders and URLs of manifests that are analyzed as if they were applied.
    type: list
    elements: raw
  definition:
    description:
      - Such manifests themselves, objects or YAML texts.
    type: list
    elements: raw
  namespace:
    description:
      - The namespace of the control plane.
    type: str
    default: istio-system
  revision:
    description:
      - The revision whose configuration is analyzed.
    type: str
  timeout:
    description:
      - How long an analysis may take, in seconds.
    type: int
    default: 120
seealso:
  - module: meshops.istio.precheck
"""

EXAMPLES = r"""
- name: Fail where the mesh has a configuration that cannot work
  meshops.istio.analysis_info:
    version: 1.29.1

- name: Be strict, but put up with pods without a sidecar and with port names
  meshops.istio.analysis_info:
    version: 1.29.1
    namespaces: [shop]
    fail_on: warning
    tolerate:
      - IST0118
      - IST0103=Pod shop/batch-*

- name: Analyze manifests before they are applied
  meshops.istio.analysis_info:
    version: 1.29.1
    namespaces: [shop]
    src: [routes/]
    fail_on: never
  register: analysis
"""

RETURN = r"""
ok:
  description:
    - Whether there is no message of the level that O(fail_on) names, or worse, apart from tolerated ones.
    - V(true) with O(fail_on=never).
  returned: success, and failure because of a message
  type: bool
  sample: true
messages:
  description: What there is to say, errors first.
  returned: success, and failure because of a message
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
      description: The message's code.
      returned: always
      type: str
      sample: IST0101
    level:
      description: One of V(error), V(warning), V(info).
      returned: always
      type: str
      sample: error
    origin:
      description: What it is about.
      returned: always
      type: str
      sample: VirtualService shop/web
    message:
      description: The message.
      returned: always
      type: str
      sample: 'Referenced host not found: "wep"'
    tolerated:
      description: Whether O(tolerate) names it.
      returned: always
      type: bool
      sample: false
    reference:
      description: The URL of istioctl's documentation of the message.
      returned: when it has one
      type: str
      sample: https://istio.io/latest/docs/reference/config/analysis/ist0101/
code:
  description: What went wrong, as one stable word, for example V(analysis_failed), V(namespace_missing), V(forbidden).
  returned: failure
  type: str
  sample: analysis_failed
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {messages: 1}
"""


from ansible_collections.meshops.istio.plugins.module_utils.arguments import RELEASE
from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.analysis import refuse_blind
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.istioctl import Istioctl
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.versions import SAFE_REMOTE_SECRETS
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import to_json
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_definitions
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result
from ansible_collections.meshops.istio.plugins.module_utils.verdict import VERDICT, verdict


def analyze(module: MeshModule) -> Result:
    """The messages, and whether there are bad ones among them."""
    parameters = module.params
    release, _fetched = module.release()
    objects = module.read_sources(parameters["src"] or ())
    objects += read_definitions(parameters["definition"] or ())
    namespaces = parameters["namespaces"] or []
    refuse_blind(module.cluster, namespaces)
    istioctl = Istioctl(release, module.cluster, timeout=parameters["timeout"])
    messages = istioctl.analyze(
        namespaces=namespaces,
        manifests=[to_json(obj) for obj in objects],
        system_namespace=parameters["namespace"],
        revision=parameters["revision"] or "",
    )
    if istioctl.hidden:
        module.warn(
            f"The analysis leaves out the remote clusters of the Secrets {', '.join(sorted(istioctl.hidden))}: istioctl"
            f" {release.version} would run the programs that their kubeconfigs name; use Istio"
            f" {', '.join(SAFE_REMOTE_SECRETS)} or newer to analyze several clusters."
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
