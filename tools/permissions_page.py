# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the page of permissions from docs/permissions.yaml. With --check, only compare."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parent.parent / "docs"
SOURCE, PAGE = DOCS / "permissions.yaml", DOCS / "docsite/rst/reference_permissions.rst"

INTRODUCTION = """\
.. _ansible_collections.meshops.istio.docsite.reference_permissions:

Permissions
===========

Grant the permissions of a run to an account:

.. code-block:: console

   $ kubectl apply -f docs/permissions.yaml
   $ kubectl create clusterrolebinding meshops-istio-mesh --clusterrole meshops-istio-mesh --user USER

``docs/permissions.yaml`` has a ClusterRole for each role of the collection. A run of ``meshops.istio.site`` needs
``meshops-istio-mesh`` and those of the roles that its variables use.

Missing permissions are all reported in one error before the first write. The dry run of a site, check mode and
``meshops.istio.plan`` check them by SelfSubjectAccessReviews, which every account may create.

Each task first reads the UID of Namespace ``kube-system``, to verify the cluster. For an account that may neither get nor
list Namespaces, the API server's URL and CA certificates are verified instead.

The verbs ``escalate`` and ``bind`` make an account as powerful as an administrator. An account that holds all permissions of
istiod and the gateways needs neither.
"""
END = "``make docs`` writes this page from ``docs/permissions.yaml``."


def page(roles: str) -> str:
    """Return the page, by the text of the ClusterRoles."""
    return "\n".join([INTRODUCTION, *(_section(role) for role in yaml.safe_load(roles)["items"]), END]) + "\n"


def _section(role: Mapping[str, Any]) -> str:
    name, annotations = role["metadata"]["name"], role["metadata"]["annotations"]
    lines = [name, "-" * len(name), "", annotations["description"].strip(), ""]
    lines += [".. list-table::", "   :header-rows: 1", "", "   * - resources", "     - verbs"]
    for rule in role["rules"]:
        named = (_named(group, plural) for group in rule["apiGroups"] for plural in rule["resources"])
        lines += [f"   * - {', '.join(named)}", f"     - {', '.join(rule['verbs'])}"]
    return "\n".join([*lines, ""])


def _named(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def main() -> None:
    """Write the page, or with --check compare it."""
    made = page(SOURCE.read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PAGE.name} is out of date with {SOURCE.name}: run make docs.")


if __name__ == "__main__":
    main()
