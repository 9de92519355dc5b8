#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Have an Istio release, with its istioctl, manifests and samples
version_added: 0.1.0
description:
  - Finds the release of exactly one version, or fetches it into the cache, its checksum verified.
  - Does so in check mode too, because nothing can be planned without it. It is never changed in the cluster's sense, as
    the cache is no part of the cluster.
extends_documentation_fragment:
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.attributes
attributes:
  diff_mode:
    description: Returns what changes, or would change, object by object.
    support: none
    details: RV(fetched) says what it did.
options:
  version:
    description:
      - The Istio version, exactly, for example V(1.29.1). There is no V(latest), so that no run upgrades unasked.
    type: str
    required: true
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Have Istio 1.29.1
  meshops.istio.release:
    version: 1.29.1
  register: istio

- name: Have it from a mirror, and from a folder where the mirror has not got it
  meshops.istio.release:
    version: 1.29.1
    source:
      - https://mirror.example.com/istio
      - /srv/istio
"""

RETURN = r"""
version:
  description: The version of the release.
  returned: success
  type: str
  sample: 1.29.1
path:
  description: The folder of the release.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.29.1-linux-amd64
istioctl:
  description: The path of the release's istioctl.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.29.1-linux-amd64/bin/istioctl
samples:
  description: The folder of the release's samples.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.29.1-linux-amd64/samples
profiles:
  description: The names of the profiles that the release has.
  returned: success
  type: list
  elements: str
  sample: [ambient, default, demo, empty, minimal]
fetched:
  description: Whether it had to be put into the cache.
  returned: success
  type: bool
  sample: false
code:
  description: What went wrong, as one stable word, for example V(invalid_input), V(checksum_mismatch), V(download_failed).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {version: latest}
"""

from ansible_collections.meshops.istio.plugins.module_utils.arguments import RELEASE
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def find(module: MeshModule) -> Result:
    """The release, and where its parts are."""
    release, fetched = module.release()
    return {
        "changed": False,
        "version": release.version,
        "path": str(release.root),
        "istioctl": str(release.istioctl),
        "samples": str(release.samples),
        "profiles": release.profiles,
        "fetched": fetched,
    }


def main() -> None:
    """Run the module."""
    module = MeshModule({"version": {"type": "str", "required": True}, **RELEASE}, connects=False)
    module.run(find)


if __name__ == "__main__":
    main()
