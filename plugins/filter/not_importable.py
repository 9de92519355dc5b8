# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.not_importable): list Python modules that are not installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable

DOCUMENTATION = r"""
name: not_importable
short_description: List the Python modules that are not installed on the controller
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Checks optional requirements of a role before a task that needs them fails.
  - The module of a collection is C(ansible_collections.NAMESPACE.NAME).
positional: _input
options:
  _input:
    description: Names of the Python modules.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Fail if Azure libraries are not installed
  ansible.builtin.fail:
    msg: "Install {{ lacking | join(' and ') }}."
  when: lacking | length > 0
  vars:
    lacking: "{{ ['azure.mgmt.containerservice'] | meshops.istio.not_importable }}"
"""

RETURN = r"""
_value:
  description: Names of the modules that are not installed.
  type: list
  elements: str
"""


def not_importable(modules: Iterable[str]) -> list[str]:
    """Return the modules that this Python cannot import."""
    return [module for module in modules if not _found(module)]


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of the package that it is in
        return False


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"not_importable": not_importable}
