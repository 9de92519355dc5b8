# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy or remove an application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..arguments import MIRROR, PLAN, RECREATE, RELEASE, WAIT
from ..istio.application.unit import (
    Application,
    missing_namespaces,
)
from ..istio.release.mirrors import refuse_unmirrored, retired_registries
from ..istio.release.samples import find_sample
from ..kube.apply.settings import Condition
from ..kube.errors import InvalidInput
from ..kube.objects.builtin_kinds import BUILT_IN
from ..kube.objects.images import images_of, replace_images, with_pull_secrets
from ..kube.objects.objects import Key, Kind, Object, key_of
from ..kube.plan.plan import Plan
from ..kube.plan.unit import Unit
from ..kube.wait.jmespath_condition import condition
from ..kube.wait.status import status
from ..manifest_sources import read_definitions
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task

CONDITION = {
    "api_version": {"type": "str"},
    "kind": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "expression": {"type": "str", "required": True},
}


def present(task: Task) -> Reconciliation:
    """Apply the application, and wait until it is ready."""
    parameters, cluster = task.params, task.cluster
    application = Application(parameters["name"], parameters["namespace"])
    objects = application.placed(cluster, manifests(task), guess=task.check_mode)
    conditions = [awaited(task, one, objects) for one in parameters["wait_for"] or ()]
    if parameters["load_balancer"]:
        services = [key_of(obj) for obj in objects if obj["kind"] == "Service"]
        conditions.append((services, partial(status, load_balancer=True)))
    namespaces = missing_namespaces(cluster, objects) if parameters["create_namespaces"] else []
    unit = application.unit([*namespaces, *objects], prune=parameters["prune"], claims=parameters["prune_claims"])
    return reconciled(
        application,
        unit,
        objects,
        checks=lambda plan: application.check(cluster, plan, force=parameters["force"], check_mode=task.check_mode),
        conditions=conditions,
    )


def absent(task: Task) -> Reconciliation:
    """Delete the objects of the application."""
    application = Application(task.params["name"], task.params["namespace"])
    return reconciled(application, application.unit([], claims=task.params["prune_claims"]))


def reconciled(
    application: Application,
    unit: Unit,
    objects: Sequence[Object] = (),
    *,
    checks: Callable[[Plan], None] | None = None,
    conditions: Sequence[Condition] = (),
) -> Reconciliation:
    """Return how the unit is reconciled, with its objects and those that are not deleted in the result."""

    def finish(plan: Plan) -> Result:
        return {
            "name": application.name,
            "namespace": application.namespace,
            "objects": [dict(key_of(obj)._asdict()) for obj in objects],
            "kept": [one.summary for one in plan.kept],
        }

    return Reconciliation(unit, application.lock, checks=checks, conditions=conditions, finish=finish)


def manifests(task: Task) -> list[Object]:
    """Read the objects of sample, src and definition in this order, with replaced images and pull secrets."""
    parameters = task.params
    found: list[Object] = []
    if parameters["sample"]:
        release, _fetched = task.release()
        sample = find_sample(release, parameters["sample"])
        files = [*sample.manifests, *(sample.gateways if parameters["gateway"] else ())]
        found += task.read_sources([str(path) for path in files])
        refuse_unmirrored(images_of(found), {**parameters["mirrors"], **parameters["images"]})
    found += task.read_sources(parameters["src"] or ())
    found += read_definitions(parameters["definition"] or ())
    if not found:
        raise InvalidInput(
            "Cannot apply the application: no objects found in sample, src and definition. Add some, or set state to absent to delete it."
        )
    replaced = replace_images(found, parameters["images"], parameters["mirrors"])
    for warning in retired_registries(images_of(replaced)):
        task.warn(warning)
    return with_pull_secrets(replaced, parameters["pull_secrets"])


def awaited(task: Task, given: Object, objects: list[Object]) -> Condition:
    """Return the condition of an item of wait_for."""
    task.require("jmespath")
    kind = given["kind"]
    versions = [given["api_version"], *(obj["apiVersion"] for obj in objects if obj["kind"] == kind)]
    versions += [known.api_version for known in BUILT_IN if known.kind == kind]
    version = next(filter(None, versions), None)
    if version is None:
        raise InvalidInput(f"wait_for is invalid: api_version of kind {kind} not found. Add it.", kind=kind)
    namespaced = task.cluster.namespaced(Kind(version, kind))
    namespace = (given["namespace"] or task.params["namespace"]) if namespaced else ""
    return [Key(version, kind, namespace, given["name"])], condition(given["expression"])


def run(task: Task) -> Reconciliation:
    """Bring the unit into the state of the options."""
    return (present if task.params["state"] == "present" else absent)(task)


DEFINITION = Definition(
    {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "default": "default"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "sample": {"type": "str"},
        "gateway": {"type": "bool", "default": True},
        "version": {"type": "str"},
        "src": {"type": "list", "elements": "raw"},
        "definition": {"type": "list", "elements": "raw"},
        "images": {"type": "dict", "default": {}},
        "create_namespaces": {"type": "bool", "default": False},
        "prune": {"type": "bool", "default": True},
        "prune_claims": {"type": "list", "elements": "str", "default": []},
        "wait_for": {"type": "list", "elements": "dict", "options": CONDITION},
        "load_balancer": {"type": "bool", "default": False},
        **RELEASE,
        **MIRROR,
        **PLAN,
        **RECREATE,
        **WAIT,
    },
    run,
    required_if=[("state", "present", ["sample", "src", "definition"], True)],
    required_by={"sample": ["version"]},
)
