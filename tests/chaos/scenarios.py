# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is disturbed: a task over what others have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.meshops.istio.tests.equivalence.cases import FILES, Input

Object = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A module and its options; `released`: it is given the Istio release too. `crds`: so is the path of its CRDs."""

    module: str
    options: Mapping[str, Any]
    released: bool = False
    crds: bool = False


@dataclass(frozen=True)
class Scenario:
    """A task over what others have left; an Input is what istioctl installs.

    kills: how many points of it are tried, and how many in short.
    rival: another task of the same unit, which a run at the same time or after a stalled one wants.
    """

    name: str
    task: Task
    kills: int
    kills_in_short: int = 1
    before: Sequence[Task | Input] = field(default_factory=tuple)
    rival: Task | None = None


def _install(one: Input) -> Task:
    return Task("control_plane", one.options, released=True)


def _config(commit: str, number: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"part-{number}"},
        "data": {"commit": commit, "same": "1"},
    }


def _web(commit: str) -> list[Object]:
    labels = {"app": "web"}
    container = {"name": "web", "image": "registry.example.com/web:1", "env": [{"name": "COMMIT", "value": commit}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "annotations": {"commit": commit}},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        },
    ]


def _application(commit: str, parts: Sequence[int]) -> Task:
    objects = [*_web(commit), *(_config(commit, number) for number in parts)]
    # Not in a namespace of its own: one that is cleared and made anew at once may lose objects to its controller.
    return Task("application", {"name": "shop", "namespace": "default", "definition": objects})


def _route(weight: int, *subsets: str) -> Task:
    to = [{"subset": "v1", "weight": 100 - weight}, {"subset": "v2", "weight": weight}]
    versions = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2", *subsets)]
    options = {"name": "reviews", "namespace": "default", "hosts": ["reviews"], "force": True}
    return Task("traffic_route", {**options, "subsets": versions, "http": [{"to": to}]})


def _addons(*names: str, retention: str) -> Task:
    return Task("addons", {"addons": list(names), "retention": {"prometheus": retention}}, released=True)


_DEFAULT = Input("profile default", {"profile": "default"})
_MESH_NAMESPACE = Task(
    "application",
    {
        "name": "namespaces",
        "namespace": "default",
        "definition": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}],
    },
)
_CRDS = Task("application", {"name": "crds", "namespace": "default", "wait": True}, crds=True)
_OLD = _application("old", range(12))

FIRST_INSTALL = Scenario("a first install", _install(_DEFAULT), 9, 2)
APPLICATION = Scenario(
    "an application's update",
    _application("new", range(6, 16)),
    5,
    before=[_OLD],
    rival=_application("rival", range(3, 9)),
)

SCENARIOS = [
    FIRST_INSTALL,
    Scenario("a take-over from istioctl", _install(FILES["pilot-env"]), 8, before=[_DEFAULT]),
    Scenario("an update that removes", _install(_DEFAULT), 7, before=[_install(FILES["two-ingress-gateways"])]),
    APPLICATION,
    Scenario("an application's first run", _OLD, 3, 0, rival=_application("rival", range(3, 9))),
    Scenario("addons", _addons("prometheus", "kiali", retention="1d"), 4, before=[_MESH_NAMESPACE]),
    Scenario("a route", _route(20), 3, before=[_CRDS, _route(0, "v3")], rival=_route(90)),
    Scenario(
        "a removal",
        Task("control_plane", {"state": "absent", "force": True}),
        5,
        before=[_install(FILES["two-ingress-gateways"])],
    ),
]
