# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests have left behind is found and removed, and nothing else."""

from __future__ import annotations

from ansible_collections.meshops.istio.tests.aks.conftest import Runner
from ansible_collections.meshops.istio.tests.aks.server import StandIn

OLD, NEW = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
GROUPS = {
    "leaked": {"meshops-istio": "molecule-1", "meshops-istio-created": OLD},
    "in-use": {"meshops-istio": "molecule-2", "meshops-istio-created": NEW},
    "kept": {"meshops-istio": "shop", "meshops-istio-created": OLD},
    "theirs": {"team": "web"},
}


def test_only_what_was_left_behind_goes_and_only_when_confirmed(azure: StandIn, run: Runner) -> None:
    for name, tags in GROUPS.items():
        azure.cloud.put_group(name, {"location": "westeurope", "tags": tags})
    seen = run("meshops.istio.aks_sweep")
    assert seen.returncode == 0, seen.text
    assert "leaked older than 24 hours; sweep_confirm=true removes it" in seen.text
    assert azure.writes == []
    swept = run("meshops.istio.aks_sweep", "--extra-vars", "sweep_confirm=true")
    assert swept.returncode == 0, swept.text
    assert set(azure.cloud.groups) == {"in-use", "kept", "theirs"}
