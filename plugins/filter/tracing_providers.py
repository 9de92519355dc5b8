# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.tracing_providers): return the extension provider of a tracing addon."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.meshops.istio.plugins.module_utils.istio.addons.telemetry import provider

DOCUMENTATION = r"""
name: tracing_providers
short_description: Return the extension provider of a tracing addon
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Returns the item of C(meshConfig.extensionProviders) for a tracing backend that is an addon of the Istio release,
    for use in O(meshops.istio.control_plane#module:extension_providers).
positional: _input, namespace, version
options:
  _input:
    description:
      - Name of the extension provider. Names other than V(jaeger), V(zipkin) and V(skywalking) return an empty list.
    type: str
    required: true
  namespace:
    description: Namespace of the control plane.
    type: str
    default: istio-system
  version:
    description: The Istio version.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Configure Zipkin as an extension provider of the mesh
  meshops.istio.control_plane:
    version: 1.31.4
    extension_providers: "{{ 'zipkin' | meshops.istio.tracing_providers('istio-system', '1.31.4') }}"
"""

RETURN = r"""
_value:
  description: List with the extension provider, or an empty list.
  type: list
  elements: dict
"""


def tracing_providers(name: str, namespace: str = "istio-system", version: str = "") -> list[dict[str, Any]]:
    """Return a list with the provider of this name, or an empty list if it is not an addon of a release."""
    numbers = re.match(r"(\d+)\.(\d+)", str(version))
    if numbers is None:
        raise AnsibleFilterError(f"tracing_providers needs an Istio version such as 1.31.4, not '{version}'.")
    found = provider(name, namespace, (int(numbers[1]), int(numbers[2])))
    return [found] if found else []


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"tracing_providers": tracing_providers}
