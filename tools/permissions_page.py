# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the page of permissions of docs/permissions.yaml. With --check, only tells whether it is in step."""

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

What the account of a run needs in the cluster, role by role. The role ``mesh`` hands over to the others, so that a site
needs its rights and those of the roles that its variables ask for. The file ``docs/permissions.yaml`` has them as
ClusterRoles:

::

   kubectl apply -f docs/permissions.yaml
   kubectl create clusterrolebinding meshops-istio-mesh --clusterrole meshops-istio-mesh --user USER

What is missing is said in one sentence before the first write, and nothing is begun: the rehearsal of a site, check
mode, and ``meshops.istio.plan`` ask the API server by SelfSubjectAccessReviews, which every account may do.

Each task first reads the UID of Namespace ``kube-system``, to be sure that it is the run's cluster. An account that may
neither get nor list Namespaces is held to the API server's URL and CA certificates instead.

The rights to grant others theirs, ``escalate`` and ``bind``, make an account as mighty as an administrator. One that
holds all the rights which istiod and the gateways get needs neither.
"""
END = "This page is made from ``docs/permissions.yaml`` by ``make docs``."


def page(roles: str) -> str:
    """The page, by the text of the ClusterRoles."""
    return "\n".join([INTRODUCTION, *(_section(role) for role in yaml.safe_load_all(roles)), END]) + "\n"


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
        sys.exit(f"{PAGE.name} is not in step with {SOURCE.name}; run make docs.")


if __name__ == "__main__":
    main()
