# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Undeclared variables and the variables that they mean."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.plugin_utils.variables.unknown import meant, names_in

MESH = Path(__file__).parents[3] / "roles/mesh"
DECLARED = yaml.safe_load((MESH / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"][
    "options"
]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("mesh_profle", "mesh_profile"),
        ("mesh_Profile", "mesh_profile"),
        ("mesh_addon", "mesh_addons"),
        ("mesh_inject_ns", "mesh_inject_namespaces"),
        ("mesh_rev", "mesh_revision"),
        ("mesh_apps", "mesh_applications"),
        ("mesh_istio_version", "mesh_version"),
        ("mesh_kube_context", "mesh_context"),
        ("mesh_hosts", "mesh_target_hosts"),
    ],
)
def test_the_variable_that_a_name_means(name: str, variable: str) -> None:
    assert meant(name, "mesh_", DECLARED) == variable


@pytest.mark.parametrize(
    "name", ["mesh_team", "mesh_name", "mesh_domain", "mesh_id", "mesh_api", "mesh_action", "mesh_p"]
)
def test_names_of_users_mean_no_variable(name: str) -> None:
    assert meant(name, "mesh_", DECLARED) == ""


def test_names_that_the_role_uses_are_known() -> None:
    assert {"mesh_result", "mesh_version"} <= names_in(MESH, "mesh_")
    assert "mesh_profle" not in names_in(MESH, "mesh_")
