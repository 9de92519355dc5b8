# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan all parts of a mesh in one process, over one connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..istio.injection.injectors import decides_sidecars
from ..istio.model.record import PARTS as RECORDED
from ..kube import threads
from ..kube.errors import InvalidInput, MeshError, Refused
from ..task import Definition, Result, Task
from . import (
    addons,
    application,
    control_plane,
    gateway_api,
    injection,
    mesh_record,
    precheck,
    release,
    restart,
    revision_tag,
)
from .part import Part, Releases

PARTS = ("gateway_api", "control_plane", "record", "injection", "restart", "addons", "applications", "prune")
"""The parts, in the order in which they are installed."""

CONTROL_PLANE = "control plane"
"""The title of the control plane, whose tags are parts of the same name."""

_OF_TAGS = ("version", "namespace", "force", "wait", "wait_timeout", "source", "cache_dir", "checksum")
"""Options of the control plane that are also those of its tags."""

_OF_WAIT = ("wait", "wait_timeout")


@dataclass
class PlannedPart:
    """A part that is planned.

    name: the option that the plan is of. title: what it is called in messages.
    result: that of the plan, and in the end that of carrying it out.
    due: it has something to change or to wait for.
    listed: its changes are changes of the mesh. follows: its changes depend on those of earlier parts.
    guesses: it was planned with kinds that the API server does not serve yet.
    diff: what was changed, when it is carried out.
    """

    name: str
    title: str
    part: Part
    result: Result
    due: bool
    listed: bool = True
    follows: bool = False
    guesses: bool = False
    diff: list[dict[str, str]] = field(default_factory=list)


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
        self.parts: list[PlannedPart] = []
        self.diff: list[dict[str, str]] = []
        self._digests: list[str] = []

    def make(self) -> None:
        """Plan the parts. Raises MeshError for the first that cannot be carried out."""
        parameters = self._task.params
        wanted = self._wanted(PARTS)
        if {"control_plane", "addons", "applications"} & set(wanted):
            found = self._part("release", release.DEFINITION, parameters["release"]).plan()
            self.results["release"] = {name: value for name, value in found.items() if name != "changed"}
        first = [part for part in wanted if part in ("gateway_api", "control_plane")]
        for part in first:
            getattr(self, f"_{part}")()

        def plan_others() -> None:
            for part in wanted:
                if part not in first:
                    getattr(self, f"_{part}")()
            if not self.changes and "record" in self.results:
                # As the inventory of a unit, it follows from the other changes.
                self.changes += self.results["record"]["changes"]
            self._refuse_other()

        # The precheck reads what a change may break, and takes longer than a plan without changes.
        checks = [self._precheck] if "control_plane" in self.due else []
        threads.each(lambda call: call(), [plan_others, *checks], size=2)

    def _wanted(self, parts: Iterable[str]) -> list[str]:
        return [part for part in parts if part in self._task.params["parts"]]

    def _precheck(self) -> None:
        checked = self._part("precheck", precheck.DEFINITION, self._task.params["precheck"])
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
                follows=True,
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
        self._planned("restart", restart.DEFINITION, self._task.params["restart"], digested=False, follows=True)
        if "injection" in self.due or any(self._decides_sidecars(one) for one in self.parts):
            self._mark("restart")

    def _decides_sidecars(self, one: PlannedPart) -> bool:
        planned = one.part.planned if one.name == "control_plane" else None
        return planned is not None and any(map(decides_sidecars, planned.changes))

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
            self.parts[-1].guesses = self.parts[-1].part.guesses

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
        if "prune" in self.due and "record" in self.results:
            # What is gone is no longer in the record.
            options = {**self._task.params["record"], "parts": self.results["record"]["parts"]}
            self._planned(
                "prune",
                mesh_record.DEFINITION,
                options,
                title="prune record",
                digested=False,
                listed=False,
                follows=True,
            )
            self._mark("prune")

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
            labelled = self.parts[-1].due
            self._planned("prune", restart.DEFINITION, options, title="prune restart", digested=False, follows=True)
            if labelled:
                self._mark("prune")

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
        follows: bool = False,
    ) -> Result:
        """Plan a part. digested: its plan has to be approved. listed, follows: as in PlannedPart."""
        title = title or name.replace("_", " ")
        try:
            part = self._part(title, definition, options)
            result = part.plan()
        except MeshError as error:
            error.details["part"] = title
            raise
        diff = result.pop("diff", [])
        if listed:
            self.changes += [change for change in result["changes"] if change not in self.changes]
            self.diff += diff
        if digested:
            self._digests.append(result["plan_digest"])
        planned = {key: value for key, value in result.items() if key != "changed"}
        planned["unready"] = [key._asdict() for key in part.unready]
        self.results.setdefault(name, planned)
        self.parts.append(PlannedPart(name, title, part, planned, due=False, listed=listed, follows=follows))
        if result["changes"] or part.unready:
            self._mark(name)
        return planned

    def _mark(self, name: str) -> None:
        """Note that the part that was planned last is due."""
        self.parts[-1].due = True
        if name not in self.due:
            self.due.append(name)

    def _unmark(self, name: str) -> None:
        """Note that the part that was planned last is not due."""
        self.parts[-1].due = False
        self.due = [one for one in self.due if one != name]

    @property
    def digest(self) -> str:
        """Digest of the plans of all parts."""
        return hashlib.sha256(" ".join(self._digests).encode()).hexdigest()

    def _refuse_other(self) -> None:
        digest, approved = self.digest, self._task.params["plan_digest"]
        if approved and approved != digest:
            raise Refused(
                f"The plan has changed since it was approved: its digest is {digest} and not the mesh_plan_digest given."
                " Run meshops.istio.plan again, review the changes, and approve the new digest.",
                code="plan_changed",
                digest=digest,
            )


def _only(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}
