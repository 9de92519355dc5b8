#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: List the container images of a mesh, its addons and its applications
version_added: 0.1.0
description:
  - Lists the container images that are needed, for example to fill a registry mirror. Does not need a cluster.
  - For Istio, lists the images that the profile and the overlays install, and the images that istiod injects into pods.
extends_documentation_fragment:
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.attributes.info
options:
  version:
    description:
      - The exact Istio version, for example V(1.31.4).
    type: str
    required: true
  profile:
    description:
      - "Profile of the control plane. Default: the images of Istio are not listed."
    type: str
  overlays:
    description:
      - IstioOperator files or objects to merge into the profile, in this order.
    type: list
    elements: raw
    default: []
  values:
    description:
      - Values of Istio's Helm charts. They override O(overlays).
    type: dict
    default: {}
  set:
    description:
      - Individual settings, as in O(meshops.istio.control_plane#module:set).
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
      - Platform of the cluster, for example V(openshift).
    type: str
  addons:
    description:
      - Names of the addons of the release. V(all) selects all addons except the extras.
    type: list
    elements: str
    default: []
  sample:
    description:
      - A sample of the release.
    type: str
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
  images:
    description:
      - Images to use instead of those in the manifests, as in O(meshops.istio.application#module:images). The list
        contains these images.
    type: dict
    default: {}
  mirrors:
    description:
      - Image mirrors of the site, as in O(meshops.istio.application#module:mirrors).
    type: dict
    default: {}
author:
  - The meshops.istio authors (@meshops)
seealso:
  - module: meshops.istio.control_plane
  - module: meshops.istio.addons
  - module: meshops.istio.application
"""

EXAMPLES = r"""
- name: List the images of Istio, Kiali and Prometheus for a mirror
  meshops.istio.image_info:
    version: 1.31.4
    profile: default
    addons: [kiali, prometheus]
    mirrors:
      /: registry.example.com/mirror/
  register: needed
"""

RETURN = r"""
images:
  description: Images, without duplicates.
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: Image in the release and the manifests.
      type: str
    image:
      description: Image that the cluster pulls. The same as C(source) if no mirror applies.
      type: str
  sample:
    - source: docker.io/istio/pilot:1.31.4
      image: registry.example.com/mirror/istio/pilot:1.31.4
code:
  description: Stable error code, for example V(invalid_input).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {profile: unheard-of}
"""

from collections.abc import Iterator
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.arguments import RELEASE
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.catalogue import chosen
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.catalogue import manifests as addon_manifests
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import (
    DEFAULT_NAMESPACE,
    Options,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.images import PROXIES, istio_images
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.revision import ControlPlane
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release import Release
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.samples import find_sample
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.images import (
    images_of,
    other_image,
    refuse_no_images,
    replace_images,
)
from ansible_collections.meshops.istio.plugins.module_utils.manifest_sources import read_definitions
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """List the images of the control plane, addons and manifests in the options."""
    mirrors = module.params["mirrors"]
    refuse_no_images("mirrors", mirrors)
    release, _fetched = module.release()
    found = dict.fromkeys([*_of_istio(module, release), *_of_manifests(module, release)])
    images = [{"source": image, "image": other_image(image, mirrors)} for image in sorted(found)]
    return {"changed": False, "images": images}


def _of_istio(module: MeshModule, release: Release) -> Iterator[str]:
    if not module.params["profile"]:
        return
    # The mirrors are applied to the found images, so that the result has their sources too.
    options = Options.of({name: value for name, value in module.params.items() if name != "mirrors"})
    plane = ControlPlane(release, options, cache_dir=module.params["cache_dir"])
    yield from images_of(plane.rendered)
    named = istio_images(plane.configuration.values)
    yield from (named[value] for value in sorted(PROXIES))


def _of_manifests(module: MeshModule, release: Release) -> Iterator[str]:
    parameters, found = module.params, []
    if parameters["sample"]:
        found += module.read_sources([str(path) for path in find_sample(release, parameters["sample"]).manifests])
    found += module.read_sources(parameters["src"] or ())
    found += read_definitions(parameters["definition"] or ())
    if parameters["addons"]:
        for objects in addon_manifests(release, chosen(release, parameters["addons"]), DEFAULT_NAMESPACE).values():
            found += objects
    yield from images_of(replace_images(found, parameters["images"]))


def main() -> None:
    """Run the module."""
    spec: dict[str, Any] = {
        "version": {"type": "str", "required": True},
        "profile": {"type": "str"},
        "overlays": {"type": "list", "elements": "raw", "default": []},
        "values": {"type": "dict", "default": {}},
        "set": {"type": "raw"},
        "hub": {"type": "str"},
        "tag": {"type": "str"},
        "platform": {"type": "str"},
        "addons": {"type": "list", "elements": "str", "default": []},
        "sample": {"type": "str"},
        "src": {"type": "list", "elements": "raw"},
        "definition": {"type": "list", "elements": "raw"},
        "images": {"type": "dict", "default": {}},
        "mirrors": {"type": "dict", "default": {}},
        **RELEASE,
    }
    MeshModule(spec, connects=False).run(read)


if __name__ == "__main__":
    main()
