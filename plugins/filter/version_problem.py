# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.version_problem): check the versions of Kubernetes and Istio without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import check_kubernetes
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.versions import version_key
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.version import Version
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused

DOCUMENTATION = r"""
name: version_problem
short_description: Check if a Kubernetes version is too old for an Istio version
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Checks the versions that each Istio release supports, and O(minimum).
positional: _input, istio, minimum
options:
  _input:
    description: The Kubernetes version. A blank version is not checked.
    type: str
    required: true
  istio:
    description: The Istio version. A blank version is not checked.
    type: str
    default: ""
  minimum:
    description: Minimum versions of C(istio) and C(kubernetes).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Fail if the versions are not compatible
  ansible.builtin.fail:
    msg: "{{ problem }}"
  when: problem is truthy
  vars:
    problem: "{{ '1.28.3' | meshops.istio.version_problem('1.31.4') }}"
"""

RETURN = r"""
_value:
  description: The error as one sentence. Empty if the versions are compatible.
  type: str
"""


def version_problem(kubernetes: str | None, istio: str = "", minimum: Mapping[str, str] | None = None) -> str:
    """Return the error as one sentence, or an empty string."""
    for name, version in (("istio", istio), ("kubernetes", kubernetes)):
        oldest = (minimum or {}).get(name)
        if oldest and version and version_key(version) < version_key(str(oldest)):
            return f"{name.capitalize()} {version} is too old: the minimum is {oldest}. Choose a newer version."
    if not kubernetes or not istio:
        return ""
    numbers = version_key(kubernetes)[0]
    if not numbers:
        return ""  # refused where the version is read
    try:
        check_kubernetes(istio, Version(numbers[0], numbers[1] if len(numbers) > 1 else 0, kubernetes))
    except Refused as refused:
        if refused.code == "unknown_release":
            return refused.message
        supported = refused.details["supported"]
        return (
            f"Kubernetes {kubernetes} is too old for Istio {istio}, which supports Kubernetes {supported}."
            " Choose a newer Kubernetes, or an older Istio."
        )
    return ""


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"version_problem": version_problem}
