#!/usr/bin/python
# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dashboard
short_description: Open Kiali, Grafana and other addon pages on a local port (port-forward)
version_added: 0.1.0
description:
  - Forwards a local port of the host that runs the module to the web page of an addon, through the API server, and
    shows the URL. The port-forward ends when the run is interrupted, or after O(duration).
  - Changes nothing in the cluster. The page is accessible only to users of the local port.
extends_documentation_fragment:
  - meshops.istio.auth
  - meshops.istio.attributes.info
options:
  addon:
    description:
      - Name of the addon.
    type: str
    choices: [kiali, grafana, prometheus, jaeger, zipkin, skywalking]
    required: true
  namespace:
    description:
      - Namespace of the control plane and of its addons.
    type: str
    default: istio-system
  address:
    description:
      - Local IP address to listen on.
    type: str
    default: localhost
  port:
    description:
      - "Local port. Default: the port of the page. With V(0), any free port."
    type: int
  duration:
    description:
      - "Duration of the port-forward, in seconds. Default: until the run is interrupted."
    type: int
notes:
  - In check mode, no port is opened.
seealso:
  - module: meshops.istio.addons
requirements:
  - websocket-client (Python package), a dependency of kubernetes
"""

EXAMPLES = r"""
- name: Open Kiali
  meshops.istio.dashboard:
    addon: kiali

- name: Open Grafana for ten minutes on any free port
  meshops.istio.dashboard:
    addon: grafana
    port: 0
    duration: 600
"""

RETURN = r"""
url:
  description: URL of the page.
  returned: success
  type: str
  sample: http://localhost:20001/kiali
code:
  description: Stable error code, for example V(invalid_input), V(not_ready).
  returned: failure
  type: str
  sample: invalid_input
details:
  description: Details of the failure.
  returned: failure
  type: dict
  sample: {addon: kiali, namespace: istio-system}
"""

import os
import time

from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.pages import PAGES, PATH_ANNOTATION
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.pod_http import asking
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.port_forward import backend, forwarded
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.kinds import SERVICE
from ansible_collections.meshops.istio.plugins.module_utils.kube.plan.permissions import refuse_denied
from ansible_collections.meshops.istio.plugins.module_utils.module import MeshModule, Result

LOOK = 0.5
"""Seconds between two checks for the end of the run."""


def show(module: MeshModule) -> Result:
    """Forward the port until the run ends or the duration is over."""
    addon, namespace, address = (module.params[name] for name in ("addon", "namespace", "address"))
    page = PAGES[addon]
    service = module.cluster.get(SERVICE, page.service, namespace)
    if service is None:
        raise InvalidInput(
            f"Cannot open the dashboard of {addon}: Service {namespace}/{page.service} not found. Install the addon first.",
            addon=addon,
            namespace=namespace,
        )
    refuse_denied(module.cluster, asking([namespace]))
    port = page.port_of(service)
    path = (service["metadata"].get("annotations") or {}).get(PATH_ANNOTATION, page.inside)
    wanted = module.params["port"] if module.params["port"] is not None else port
    if module.check_mode:
        backend(module.cluster, service, port)
        return {"changed": False, "url": f"http://{address}:{wanted}{path}"}
    with forwarded(
        module.cluster, service, port, address=address, local_port=wanted, progress=module.progress
    ) as local:
        url = f"http://{address}:{local}{path}"
        module.progress(f"{addon} is available at {url} until this run is interrupted")
        linger(module.params["duration"])
    return {"changed": False, "url": url}


def linger(duration: int | None) -> None:
    """Return after `duration` seconds, on an interrupt, or when the parent process has ended."""
    parent, ends = os.getppid(), None if duration is None else time.monotonic() + duration
    try:
        while os.getppid() == parent and (ends is None or time.monotonic() < ends):
            time.sleep(LOOK)
    except KeyboardInterrupt:
        return


def main() -> None:
    """Run the module."""
    module = MeshModule(
        {
            "addon": {"type": "str", "choices": [*PAGES], "required": True},
            "namespace": {"type": "str", "default": "istio-system"},
            "address": {"type": "str", "default": "localhost"},
            "port": {"type": "int"},
            "duration": {"type": "int"},
        }
    )
    module.run(show)


if __name__ == "__main__":
    main()
