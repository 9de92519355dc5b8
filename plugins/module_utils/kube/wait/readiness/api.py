# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of CustomResourceDefinitions, APIServices and Namespaces."""

from __future__ import annotations

from ...objects.conditions import condition, conditions, is_true, reason
from ...objects.objects import Object
from .states import CURRENT, FAILED, IN_PROGRESS, TERMINATING, Rule, Status, field, missing


def definition(obj: Object) -> Status:
    """Return the status of a CustomResourceDefinition, as kstatus does."""
    names, established = condition(obj, "NamesAccepted"), condition(obj, "Established")
    if names.get("status") == "False":
        return Status(FAILED, reason(names))
    if established.get("status") == "False" and established.get("reason") != "Installing":
        return Status(FAILED, reason(established))
    if is_true(established):
        return Status(CURRENT, "established")
    return Status(IN_PROGRESS, "being installed")


def api_service(obj: Object) -> Status:
    """Return the status of an APIService by its condition Available."""
    return missing(obj, conditions(obj), "Available", required=True) or Status(CURRENT, "available")


def namespace(obj: Object) -> Status:
    """Return the status of a Namespace by its phase."""
    phase = field(obj, "status.phase") or "Active"
    return Status(CURRENT, "active") if phase == "Active" else Status(TERMINATING, "being deleted")


RULES: dict[tuple[str, str], Rule] = {
    ("", "Namespace"): namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("apiregistration.k8s.io", "APIService"): api_service,
}
