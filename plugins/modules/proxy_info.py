#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: proxy_info
short_description: Read whether proxies have their configuration, and how long their certificates last
version_added: 0.1.0
description:
  - Asks every istiod which of the configuration that it has sent the proxies have confirmed, as C(istioctl proxy-status)
    does, and every proxy which certificates it works with, whoever installed the mesh.
  - Asks from inside of the pods, through the API server, and reads no Secret.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - The namespace whose control planes are asked, and their proxies wherever these are. Without it all.
    type: str
  timeout:
    description:
      - How long configuration that is being sent may take to arrive, in seconds.
    type: int
    default: 15
  certificate_days:
    description:
      - With how many days left a certificate is about to expire. One of a short life, as sidecars have, is so with less
        than a tenth of it left.
    type: int
    default: 14
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.injection_info
requirements:
  - websocket-client (Python package), which comes with kubernetes
"""

EXAMPLES = r"""
- name: Read how the proxies are
  meshops.istio.proxy_info:
  register: told

- name: Assert that they have their configuration, and certificates that last for a month
  ansible.builtin.assert:
    that:
      - told.proxies | rejectattr('state', 'eq', 'synced') | length == 0
      - told.certificates | rejectattr('state', 'eq', 'valid') | length == 0
"""

RETURN = r"""
proxies:
  description: The running proxies, sidecars and gateways, by namespace and name of their pods.
  returned: success
  type: list
  elements: dict
  sample: [{pod: shop/web-7d4b9c5f6-x2x9k, revision: default, version: 1.29.1, state: stale, stale: [CDS], answers: true}]
  contains:
    pod:
      description: Namespace and name of the proxy's pod.
      returned: always
      type: str
      sample: shop/web-7d4b9c5f6-x2x9k
    revision:
      description: The revision of its control plane, empty where it is not known.
      returned: always
      type: str
      sample: default
    version:
      description: The version of the proxy.
      returned: always
      type: str
      sample: 1.29.1
    state:
      description:
        - V(synced), V(stale) where it has not confirmed what it was sent, V(disconnected) where no istiod knows it.
      returned: always
      type: str
      sample: stale
    stale:
      description: The parts that it has not confirmed, among V(CDS), V(LDS), V(RDS), V(EDS), V(ECDS).
      returned: always
      type: list
      elements: str
      sample: [CDS]
    answers:
      description: Whether it tells its certificates.
      returned: always
      type: bool
      sample: true
certificates:
  description: The certificates that the proxies show and trust, each once, the one that ends first at the beginning.
  returned: success
  type: list
  elements: dict
  sample:
    - serial: 3f5a
      names: ['spiffe://cluster.local/ns/shop/sa/web']
      authority: false
      begins: '2026-01-31T12:00:00+00:00'
      ends: '2026-02-01T12:00:00+00:00'
      state: valid
      proxies: 1
      proxy: shop/web-7d4b9c5f6-x2x9k
  contains:
    serial:
      description: Its serial number.
      returned: always
      type: str
      sample: 3f5a
    names:
      description: The names that it is for.
      returned: always
      type: list
      elements: str
      sample: ['spiffe://cluster.local/ns/shop/sa/web']
    authority:
      description: Whether it is one that others are checked with.
      returned: always
      type: bool
      sample: false
    begins:
      description: From when on it is valid.
      returned: always
      type: str
      sample: '2026-01-31T12:00:00+00:00'
    ends:
      description: Until when it is.
      returned: always
      type: str
      sample: '2026-02-01T12:00:00+00:00'
    state:
      description: One of V(valid), V(expiring), V(expired), V(not_yet_valid).
      returned: always
      type: str
      sample: valid
    proxies:
      description: How many proxies work with it.
      returned: always
      type: int
      sample: 1
    proxy:
      description: One of them, by namespace and name of its pod.
      returned: always
      type: str
      sample: shop/web-7d4b9c5f6-x2x9k
code:
  description: What went wrong, as one stable word, for example V(forbidden), V(unreachable), V(unauthorized).
  returned: failure
  type: str
  sample: forbidden
details:
  description: What is known about the failure.
  returned: failure
  type: dict
  sample: {missing: [get pods/portforward in namespace shop]}
"""

from datetime import UTC, datetime

from ansible_collections.meshops.istio.plugins.module_utils.istio.inspection.proxy_sync import (
    Certificate,
    read_proxies,
    used,
)
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result


def read(module: MeshModule) -> Result:
    """The proxies, and the certificates among them."""
    parameters = module.params
    proxies = read_proxies(
        module.cluster, parameters["namespace"] or "", patience=parameters["timeout"], progress=module.progress
    )
    now = module.cluster.now or datetime.now(UTC)
    certificates = [
        _described(certificate, now, parameters["certificate_days"], pods) for certificate, pods in used(proxies)
    ]
    return {"changed": False, "proxies": [one.as_dict() for one in proxies], "certificates": certificates}


def _described(certificate: Certificate, now: datetime, days: int, pods: list[str]) -> Result:
    return {
        "serial": certificate.serial,
        "names": list(certificate.names),
        "authority": certificate.authority,
        "begins": certificate.begins.isoformat(),
        "ends": certificate.ends.isoformat(),
        "state": certificate.state(now, days),
        "proxies": len(pods),
        "proxy": pods[0],
    }


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "namespace": {"type": "str"},
            "timeout": {"type": "int", "default": 15},
            "certificate_days": {"type": "int", "default": 14},
        }
    )
    module.run(read)


if __name__ == "__main__":
    main()
