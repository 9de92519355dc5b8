# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse a change of version in place that Istio does not support."""

from __future__ import annotations

from ...kube.errors import Refused
from ...kube.objects.objects import key_of
from ...kube.plan.plan import Plan
from ..model import labels
from ..model.labels import component_of, labels_of
from ..release.versions import minor_of

MOST = 1
"""How many minor versions an upgrade in place may go on at once, by Istio's documentation."""


def refuse_unsupported(plan: Plan, revision: str, version: str) -> None:
    """Raise Refused for a plan that skips a minor version of its revision, or goes back by one.

    The older CRDs would be applied with an older version.
    """
    installed = _installed(plan)
    old, new = minor_of(installed), minor_of(version)
    if not plan.changes or len(old) < 2 or len(new) < 2 or old[0] != new[0] or 0 <= new[1] - old[1] <= MOST:
        return
    if new > old:
        why, first = (
            "an upgrade in place goes one minor version at a time",
            f"Upgrade to {old[0]}.{old[1] + MOST} first",
        )
    else:
        why, first = "CRDs would be downgraded, and resources with newer fields lost", "Keep the version"
    raise Refused(
        f"Cannot change revision {revision} from Istio {installed} to {version}: {why}. {first}, use a second control plane"
        " (meshops.istio.upgrade), or set ignore_version_check to true.",
        code="unsupported_upgrade",
        installed=installed,
        version=version,
    )


def _installed(plan: Plan) -> str:
    """Return the version of the live istiod that a plan changes; empty if there is none."""
    for obj in plan.objects:
        if obj["kind"] == "Deployment" and component_of(obj) == labels.PILOT:
            live = plan.live.get(key_of(obj).identity)
            return labels_of(live).get(labels.VERSION, "") if live else ""
    return ""
