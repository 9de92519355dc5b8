# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manage a revision tag."""

from __future__ import annotations

from collections.abc import Callable

from ..arguments import PLAN, RELEASE, WAIT
from ..istio.control_plane import tag_objects
from ..istio.control_plane.configuration import Options
from ..istio.control_plane.render import Renderer
from ..istio.control_plane.revision import ControlPlane
from ..istio.control_plane.revision_tag import RevisionTag
from ..istio.model.ownership import LOCK
from ..kube.plan.plan import Plan
from ..kube.plan.resources import resources
from ..kube.plan.unit import Unit
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task


def reconciled(tag: RevisionTag, unit: Unit, revision: str, checks: Callable[[Plan], None] | None) -> Reconciliation:
    """Return how the unit of a tag is reconciled; `revision`: the one to point at, empty for none."""
    named: Result = {"name": tag.name, "revision": revision, "previous_revision": tag.revision}
    return Reconciliation(unit, LOCK, checks=checks, finish=lambda plan: {**named, "resources": resources(plan)})


def present(task: Task, tag: RevisionTag) -> Reconciliation:
    """Create the tag, or point it at another revision."""
    parameters = task.params
    revision = parameters["revision"]
    assumed = task.check_mode and parameters["assume_revision"] and bool(parameters["version"])
    tag.refuse(revision, assumed=assumed)
    injector = tag.injector_of(revision)
    version = parameters["version"] or (tag_objects.version_of(injector) if injector is not None else None)
    release, _fetched = task.release(version)
    if injector is None:
        expected = Options(
            revision="" if revision == tag_objects.DEFAULT else revision, namespace=parameters["namespace"]
        )
        injector = ControlPlane(release, expected, task.cluster, cache_dir=parameters["cache_dir"]).injector
    unit = tag.pointing_at(
        injector,
        Renderer(release, task.cluster, parameters["cache_dir"]),
        inject_by_default=parameters["auto_inject_namespaces"],
        assumed=assumed,
    )
    return reconciled(tag, unit, revision, None if parameters["force"] else tag.check)


def absent(task: Task, tag: RevisionTag) -> Reconciliation:
    """Remove the tag."""
    return reconciled(tag, tag.removed(), "", None if task.params["force"] else tag.refuse_in_use)


def bring(task: Task) -> Reconciliation:
    """Create, update or remove the tag."""
    tag = RevisionTag(task.cluster, task.params["name"], task.params["namespace"])
    return (present if task.params["state"] == "present" else absent)(task, tag)


DEFINITION = Definition(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "revision": {"type": "str", "default": "default"},
        "namespace": {"type": "str", "default": "istio-system"},
        "version": {"type": "str"},
        "auto_inject_namespaces": {"type": "bool", "default": False},
        "assume_revision": {"type": "bool", "default": False},
        **RELEASE,
        **PLAN,
        **WAIT,
    },
    bring,
)
