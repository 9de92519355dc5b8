# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is compared: inputs of a control plane, and moves from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent / "inputs"
_REVISION = "canary"


@dataclass(frozen=True)
class Input:
    """A control plane's options, by the names that the module has for them.

    refused: whether istioctl is known to refuse it; None where that is to be found out.
    by: who installs it on our side, where it is taken over: `istioctl`, or `helm` with its charts' own values.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    refused: bool | None = False
    by: str = ""


@dataclass(frozen=True)
class Move:
    """One configuration, and another that is applied over it."""

    before: Input
    after: Input

    @property
    def name(self) -> str:
        return f"{self.before.name} -> {self.after.name}"


def of_file(path: Path, *, refused: bool | None = False) -> Input:
    """The input that one IstioOperator file is."""
    return Input(path.stem, {"overlays": [str(path)]}, refused)


def _files(folder: Path, *, refused: bool = False) -> dict[str, Input]:
    return {path.stem: of_file(path, refused=refused) for path in sorted(folder.glob("*.yaml"))}


def profiles(names: list[str]) -> list[Input]:
    """Each profile without and with a revision."""
    return [
        Input(
            f"profile {name}" + (f", revision {revision}" if revision else ""), {"profile": name, "revision": revision}
        )
        for name in names
        for revision in ("", _REVISION)
    ]


FILES = _files(_FOLDER)
REFUSED = _files(_FOLDER / "refused", refused=True)
_LAYERS = [str(_FOLDER / "layers" / f"{name}.yaml") for name in ("platform", "team", "site")]

COMBINED = [
    Input("several overlays", {"overlays": _LAYERS}),
    Input(
        "several overlays and set",
        {
            "overlays": _LAYERS,
            "set": {"meshConfig.enableTracing": True, "values.global.proxy.resources.requests.cpu": "11m"},
        },
    ),
    Input(
        "overlay and values",
        {"overlays": [_LAYERS[2]], "values": {"pilot": {"traceSampling": 7}, "global": {"logAsJson": True}}},
    ),
    Input(
        "inline overlay",
        {
            "overlays": [
                {
                    "apiVersion": "install.istio.io/v1alpha1",
                    "kind": "IstioOperator",
                    "spec": {"components": {"ingressGateways": [{"name": "istio-ingressgateway", "enabled": False}]}},
                }
            ]
        },
    ),
    Input("hub and tag", {"hub": "registry.example.com/istio", "tag": "1.29.1-distroless"}),
    Input("platform", {"platform": "gke"}),
    Input("demo in another namespace, revision", {"profile": "demo", "namespace": "mesh-system", "revision": "r2"}),
]

_DEFAULT = Input("profile default", {"profile": "default", "revision": ""})
_DEMO = Input("profile demo", {"profile": "demo", "revision": ""})
_MINIMAL = Input("profile minimal", {"profile": "minimal", "revision": ""})
_MINIMAL_REVISION = Input(f"profile minimal, revision {_REVISION}", {"profile": "minimal", "revision": _REVISION})
_AMBIENT = Input("profile ambient", {"profile": "ambient", "revision": ""})
_EMPTY = Input("profile empty", {"profile": "empty", "revision": ""})

# Between the default and each of these, something of every sort comes and goes.
_BOTH_WAYS = (
    "cni",  # a component
    "egress-gateway",
    "fixed-replicas",  # HPAs
    "gateway-ports",
    "gateway-service",  # its type, pinned port, annotations, an env
    "inject-by-default",
    "mesh-config",
    "named-owner",
    "overlays-of-objects",  # an argument, a label of pods
    "pilot-env",
    "pilot-k8s",
    "pod-annotations",
    "two-ingress-gateways",
)

MOVES = [
    *(Move(*pair) for name in _BOTH_WAYS for pair in ((_DEFAULT, FILES[name]), (FILES[name], _DEFAULT))),
    Move(_DEMO, _MINIMAL),
    Move(_MINIMAL, _DEMO),
    Move(_AMBIENT, _DEFAULT),
    Move(_DEFAULT, _EMPTY),
]

TAKE_OVERS = [
    Move(Input("istioctl's profile default", _DEFAULT.options, by="istioctl"), _DEFAULT),
    Move(Input("istioctl's pilot-k8s", FILES["pilot-k8s"].options, by="istioctl"), _DEFAULT),
    Move(Input("istioctl's revision", _MINIMAL_REVISION.options, by="istioctl"), _MINIMAL_REVISION),
    Move(Input("Helm's base and istiod", by="helm"), _MINIMAL),
]

SHORT = [
    _DEFAULT,
    _MINIMAL_REVISION,
    FILES["overlays-of-objects"],
    REFUSED["unknown-field"],
]
SHORT_MOVES = [Move(FILES["two-ingress-gateways"], _DEFAULT)]
