#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: proxy_info
short_description: Read proxy status and certificates (istioctl proxy-status)
version_added: 0.1.0
description:
  - Returns the configuration status of the proxies from every istiod, as C(istioctl proxy-status) does, and the
    certificates of every proxy, for installations by any tool.
  - Sends requests to the pods through the API server. Does not read Secrets.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  namespace:
    description:
      - "Namespace of the control planes to read, with their proxies in all namespaces. Default: all namespaces."
    type: str
  timeout:
    description:
      - How long to wait until proxies acknowledge configuration that is being sent, in seconds.
    type: int
    default: 15
  certificate_days:
    description:
      - Remaining days of validity below which a certificate is V(expiring). Short-lived certificates, such as those of
        sidecars, are V(expiring) when less than a tenth of their lifetime remains.
    type: int
    default: 14
seealso:
  - module: meshops.istio.control_plane_info
  - module: meshops.istio.injection_info
requirements:
  - websocket-client (Python package), a dependency of kubernetes
"""

EXAMPLES = r"""
- name: Read the status of the proxies
  meshops.istio.proxy_info:
    certificate_days: 30
  register: status

- name: Assert that the proxies are in sync and their certificates are valid for a month
  ansible.builtin.assert:
    that:
      - status.proxies | rejectattr('state', 'eq', 'synced') | length == 0
      - status.certificates | rejectattr('state', 'eq', 'valid') | length == 0
"""

RETURN = r"""
proxies:
  description: Running proxies (sidecars and gateways), sorted by namespace and name of their pods.
  returned: success
  type: list
  elements: dict
  sample: [{pod: shop/web-7d4b9c5f6-x2x9k, revision: default, version: 1.31.4, state: stale, stale: [CDS], answers: true}]
  contains:
    pod:
      description: Namespace and name of the proxy's pod.
      returned: always
      type: str
      sample: shop/web-7d4b9c5f6-x2x9k
    revision:
      description: Revision of the proxy's control plane. Empty if it is unknown.
      returned: always
      type: str
      sample: default
    version:
      description: Version of the proxy.
      returned: always
      type: str
      sample: 1.31.4
    state:
      description:
        - Configuration status of the proxy. V(synced), V(stale) if it has not acknowledged its configuration, or
          V(disconnected) if it is not connected to an istiod.
      returned: always
      type: str
      sample: stale
    stale:
      description:
        - Configuration types that the proxy has not acknowledged, among V(CDS), V(LDS), V(RDS), V(EDS), V(ECDS).
      returned: always
      type: list
      elements: str
      sample: [CDS]
    answers:
      description: V(true) if the proxy returned its certificates.
      returned: always
      type: bool
      sample: true
certificates:
  description: Certificates that the proxies present or trust, without duplicates, sorted by the end of their validity.
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
      description: Serial number of the certificate.
      returned: always
      type: str
      sample: 3f5a
    names:
      description: Names in the certificate.
      returned: always
      type: list
      elements: str
      sample: ['spiffe://cluster.local/ns/shop/sa/web']
    authority:
      description: V(true) for CA certificates.
      returned: always
      type: bool
      sample: false
    begins:
      description: Start of the validity, in ISO 8601 format.
      returned: always
      type: str
      sample: '2026-01-31T12:00:00+00:00'
    ends:
      description: End of the validity, in ISO 8601 format.
      returned: always
      type: str
      sample: '2026-02-01T12:00:00+00:00'
    state:
      description: State of the certificate, one of V(valid), V(expiring), V(expired), V(not_yet_valid).
      returned: always
      type: str
      sample: valid
    proxies:
      description: Number of proxies with the certificate.
      returned: always
      type: int
      sample: 1
    proxy:
      description: Namespace and name of the pod of one of these proxies.
      returned: always
      type: str
      sample: shop/web-7d4b9c5f6-x2x9k
code:
  description: Stable error code, for example V(forbidden), V(unreachable), V(unauthorized).
  returned: failure
  type: str
  sample: forbidden
details:
  description: Details of the failure.
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
    """Return the proxies and their certificates."""
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
