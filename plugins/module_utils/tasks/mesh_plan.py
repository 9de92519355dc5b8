# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan all parts of a mesh in one process, over one connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from ..istio.model.record import PARTS as RECORDED
from ..kube.api.identity import Identity
from ..kube.errors import InvalidInput, MeshError, Refused
from ..task import Definition, Result, Task
from . import (
    addons,
    application,
    control_plane,
    gateway_api,
    injection,
    mesh_info,
    mesh_record,
    precheck,
    release,
    restart,
    revision_tag,
)
from .part import Part, Releases

PARTS = ("gateway_api", "control_plane", "record", "injection", "restart", "addons", "applications", "prune")
"""The parts, in the order in which they are installed."""

_OF_TAGS = ("version", "namespace", "force", "wait", "wait_timeout", "source", "cache_dir", "checksum")
"""Options of the control plane that are also those of its tags."""

_OF_WAIT = ("wait", "wait_timeout")


class MeshPlan:
    """The plan of a mesh: the results of its parts in check mode, and which of them have something to do.

    A part that relies on what an earlier one would create is planned as if it were there.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._releases: Releases = {}
        self.results: dict[str, Any] = {}
        self.changes: list[dict[str, str]] = []
        self.due: list[str] = []
        self.left_over: list[dict[str, str]] = []
        self._digests: list[str] = []
        self._diff: list[dict[str, str]] = []

    def run(self) -> Result:
        """Plan the parts. Raises MeshError for the first that cannot be carried out, unless allow_failure is set."""
        identity = Identity.of(self._task.cluster)
        failure = ""
        try:
            self._plan()
        except MeshError as error:
            if not self._task.params["allow_failure"]:
                raise
            failure = error.message
        result: Result = {
            "changed": self._task.check_mode and bool(self.changes),
            "cluster": identity._asdict(),
            "parts": self.results,
            "changes": self.changes,
            "plan_digest": self._digest,
            "due": self.due,
            "left_over": self.left_over,
            "failure": failure,
            "state": mesh_info.state(self._task),
        }
        return {**result, "diff": self._diff} if self._task.shows_diff else result

    def _plan(self) -> None:
        parameters = self._task.params
        wanted = [part for part in PARTS if part in parameters["parts"]]
        if {"control_plane", "addons", "applications"} & set(wanted):
            found = self._part("release", release.DEFINITION, parameters["release"]).plan()
            self.results["release"] = {name: value for name, value in found.items() if name != "changed"}
        for part in wanted:
            getattr(self, f"_{part}")()
        if not self.changes and "record" in self.results:
            # As the inventory of a unit, it follows from the other changes.
            self.changes += self.results["record"]["changes"]
        self._refuse_other()
        if "control_plane" in self.due:
            # It reads what a change may break, and takes longer than a plan without changes.
            checked = self._part("precheck", precheck.DEFINITION, parameters["precheck"])
            self.results["messages"] = checked.plan()["messages"]

    def _gateway_api(self) -> None:
        self._planned("gateway_api", gateway_api.DEFINITION, self._task.params["gateway_api"])

    def _control_plane(self) -> None:
        options = self._with_release("control_plane")
        result = self._planned("control_plane", control_plane.DEFINITION, options)
        shared = _only(options, _OF_TAGS)
        self.results["revision_tags"] = [
            self._planned(
                "control_plane",
                revision_tag.DEFINITION,
                {**shared, "name": tag, "revision": result["revision"], "assume_revision": True},
                title=f"revision tag {tag}",
            )
            for tag in self._task.params["revision_tags"]
        ]

    def _record(self) -> None:
        found = self._planned("record", mesh_record.DEFINITION, self._task.params["record"], listed=False)
        self.left_over = found["left_over"]

    def _injection(self) -> None:
        self._planned("injection", injection.DEFINITION, self._task.params["injection"])

    def _restart(self) -> None:
        if not self._task.params["restart"].get("namespaces", True):
            return
        # Which pods there are says nothing about the configuration that was approved.
        self._planned("restart", restart.DEFINITION, self._task.params["restart"], digested=False)
        if "control_plane" in self.due or "injection" in self.due:
            self._mark("restart")

    def _addons(self) -> None:
        plane = self.results.get("control_plane", {})
        assumed = {
            "gateway_namespaces": sorted({gateway["namespace"] for gateway in plane.get("gateways", ())}),
            "providers": plane.get("extension_providers", []),
        }
        self._planned("addons", addons.DEFINITION, {**self._with_release("addons"), "assume": assumed})

    def _applications(self) -> None:
        shared = self._with_release("application")
        self.results["applications"] = []
        for unit in self._task.params["applications"]:
            options = {**shared, **{name: value for name, value in unit.items() if value is not None}}
            title = f"application {options.get('name')}"
            self.results["applications"].append(
                self._planned("applications", application.DEFINITION, options, title=title)
            )
            if options.get("wait") and (options.get("wait_for") or options.get("load_balancer")):
                self._mark("applications")

    def _prune(self) -> None:
        """Plan the removal of what is left over, of the parts to prune, and of namespaces from the mesh."""
        going = [one for one in self.left_over if one["part"] in self._task.params["prune"] and not one["reason"]]
        leaving = self._task.params["uninject_namespaces"]
        left = [one for one in self.left_over if one not in going]
        self.left_over = [one for one in left if one["part"] != "namespaces" or one["name"] not in leaving]
        found = {part: [one for one in going if one["part"] == part] for part in RECORDED}
        names = list(dict.fromkeys([*leaving, *(one["name"] for one in found["namespaces"])]))
        self.results["prune"] = {**found, "namespaces": names, "changes": []}
        before = len(self.changes)
        for one in found["applications"]:
            options = {**_only(self._task.params["application"], _OF_WAIT), **_only(one, ("name", "namespace"))}
            self._removed(f"application {one['name']}", application.DEFINITION, options)
        if found["addons"]:
            place = _only(self._task.params["record"], ("namespace",))
            options = _only(self._task.params["addons"], _OF_WAIT)
            self._removed("addons", addons.DEFINITION, {**options, **place})
        if names:
            self._leave(names)
        for one in found["revision_tags"]:
            options = _only(self._task.params["control_plane"], ("namespace", "force", *_OF_WAIT))
            self._removed(f"revision tag {one['name']}", revision_tag.DEFINITION, {**options, "name": one["name"]})
        self.results["prune"]["changes"] = self.changes[before:]

    def _leave(self, namespaces: list[str]) -> None:
        """Plan to take namespaces out of the mesh: without labels, every sidecar is outdated.

        While the labels are there, the restarts are not: only a plan after their removal has them.
        """
        both = sorted({*namespaces} & {*(self._task.params["injection"].get("namespaces") or ())})
        if both:
            raise InvalidInput(
                f"The namespace {both[0]} is to be injected and to leave the mesh. Remove it from one of the two lists.",
                namespaces=both,
            )
        self._removed("injection", injection.DEFINITION, {"namespaces": namespaces})
        if "restart" in self._task.params["parts"]:
            options = {**self._task.params["restart"], "namespaces": namespaces, "outdated": True}
            self._planned("prune", restart.DEFINITION, options, title="restart", digested=False)

    def _removed(self, title: str, definition: Definition, options: Mapping[str, Any]) -> None:
        self._planned("prune", definition, {**options, "state": "absent"}, title=f"prune {title}")

    def _with_release(self, part: str) -> dict[str, Any]:
        found = self.results["release"]
        return {**self._task.params[part], "version": found["version"], "source": [found["path"]]}

    def _part(self, title: str, definition: Definition, options: Mapping[str, Any]) -> Part:
        return Part(self._task, title, definition, options, self._releases)

    def _planned(
        self,
        name: str,
        definition: Definition,
        options: Mapping[str, Any],
        *,
        title: str = "",
        digested: bool = True,
        listed: bool = True,
    ) -> Result:
        """Plan a part. digested: its plan has to be approved. listed: its changes are changes of the mesh."""
        title = title or name.replace("_", " ")
        try:
            part = self._part(title, definition, options)
            result = part.plan()
        except MeshError as error:
            error.details["part"] = title
            raise
        if result["changes"] or part.unready:
            self._mark(name)
        diff = result.pop("diff", [])
        if listed:
            self.changes += [change for change in result["changes"] if change not in self.changes]
            self._diff += diff
        if digested:
            self._digests.append(result["plan_digest"])
        planned = {key: value for key, value in result.items() if key != "changed"}
        planned["unready"] = [key._asdict() for key in part.unready]
        self.results.setdefault(name, planned)
        return planned

    def _mark(self, name: str) -> None:
        if name not in self.due:
            self.due.append(name)

    @property
    def _digest(self) -> str:
        return hashlib.sha256(" ".join(self._digests).encode()).hexdigest()

    def _refuse_other(self) -> None:
        digest, approved = self._digest, self._task.params["plan_digest"]
        if approved and approved != digest:
            raise Refused(
                f"The plan has changed since it was approved: its digest is {digest} and not the mesh_plan_digest given."
                " Run meshops.istio.plan again, review the changes, and approve the new digest.",
                code="plan_changed",
                digest=digest,
            )


def _only(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}


def plan(task: Task) -> Result:
    """Plan the mesh, and read its state."""
    return MeshPlan(task).run()


DEFINITION = Definition(
    {
        **mesh_info.SPEC,
        "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
        "release": {"type": "dict", "default": {}},
        "precheck": {"type": "dict", "default": {}},
        "gateway_api": {"type": "dict", "default": {}},
        "control_plane": {"type": "dict", "default": {}},
        "revision_tags": {"type": "list", "elements": "str", "default": []},
        "record": {"type": "dict", "default": {}},
        "injection": {"type": "dict", "default": {}},
        "restart": {"type": "dict", "default": {}},
        "addons": {"type": "dict", "default": {}},
        "application": {"type": "dict", "default": {}},
        "applications": {"type": "list", "elements": "dict", "default": []},
        "prune": {"type": "list", "elements": "str", "choices": list(RECORDED), "default": []},
        "uninject_namespaces": {"type": "list", "elements": "str", "default": []},
        "plan_digest": {"type": "str"},
        "allow_failure": {"type": "bool", "default": False},
    },
    plan,
    nested=(
        "release",
        "precheck",
        "gateway_api",
        "control_plane",
        "injection",
        "restart",
        "addons",
        "application",
        "applications",
    ),
)
