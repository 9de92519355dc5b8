#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Download an Istio release (istioctl, manifests, samples)
version_added: 0.1.0
description:
  - Finds the release of the given version, or downloads it to the cache and verifies its checksum.
  - Also downloads in check mode, because other tasks need the release for their plans. The result is never C(changed),
    because the cache is not part of a cluster.
extends_documentation_fragment:
  - meshops.istio.download
  - meshops.istio.release
  - meshops.istio.attributes
attributes:
  diff_mode:
    description: Returns a diff of each object that changes, or would change in check mode.
    support: none
    details: See RV(fetched).
options:
  version:
    description:
      - The exact Istio version, for example V(1.31.4). V(latest) is not supported, to prevent unintended upgrades.
    type: str
    required: true
seealso:
  - module: meshops.istio.control_plane
"""

EXAMPLES = r"""
- name: Download Istio 1.31.4
  meshops.istio.release:
    version: 1.31.4
  register: istio

- name: Download from a mirror, or use a directory if the mirror does not have the release
  meshops.istio.release:
    version: 1.31.4
    source:
      - https://mirror.example.com/istio
      - /srv/istio
"""

RETURN = r"""
version:
  description: The Istio version of the release.
  returned: success
  type: str
  sample: 1.31.4
path:
  description: Directory of the release.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.31.4-linux-amd64
istioctl:
  description: Path of istioctl in the release.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.31.4-linux-amd64/bin/istioctl
samples:
  description: Directory of the samples in the release.
  returned: success
  type: str
  sample: /home/me/.cache/meshops-istio/releases/1.31.4-linux-amd64/samples
profiles:
  description: Names of the profiles in the release.
  returned: success
  type: list
  elements: str
  sample: [ambient, default, demo, empty, minimal]
fetched:
  description: V(true) if the release was added to the cache.
  returned: success
  type: bool
  sample: false
code:
  description: Stable error code, for example V(invalid_input), V(checksum_mismatch), V(download_failed).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {version: latest}
"""

from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule
from ansible_collections.meshops.istio.plugins.module_utils.tasks.release import DEFINITION


def main() -> None:
    """Run the module."""
    MeshModule.main(DEFINITION)


if __name__ == "__main__":
    main()
