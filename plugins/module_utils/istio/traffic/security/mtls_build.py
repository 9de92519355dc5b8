# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a PeerAuthentication: the mutual TLS mode of workloads and ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....kube.errors import InvalidInput
from ....kube.objects.objects import Object
from ..shared.fields import SECURITY, Options, given, make, texts

MODES = ("strict", "permissive", "disable", "unset")


def build(options: Options) -> list[Object]:
    """Build the PeerAuthentication from the options of `mtls`. Raises InvalidInput."""
    selector, ports = options.get("selector"), options.get("ports") or {}
    if ports and not selector:
        raise InvalidInput(
            "ports needs selector: modes of ports are supported for selected workloads only. Set selector.",
            option="ports",
        )
    odd = next((port for port in ports if not str(port).isdecimal()), None)
    if odd is not None:
        raise InvalidInput(
            f"ports is invalid: '{odd}' is not a port number. Use the number of the port.", option="ports"
        )
    spec = given(
        selector=given(matchLabels=texts(selector)),
        mtls={"mode": options["mode"].upper()},
        portLevelMtls={str(port): {"mode": _mode(mode, f"ports.{port}")} for port, mode in ports.items()},
    )
    return [make(SECURITY, "PeerAuthentication", options["namespace"], options["name"], spec)]


def strict_somewhere(peer_authentication: Mapping[str, Any]) -> bool:
    """Return whether the mode is STRICT at any port."""
    spec = peer_authentication.get("spec") or {}
    modes = [spec.get("mtls") or {}, *(spec.get("portLevelMtls") or {}).values()]
    return any(mode.get("mode") == "STRICT" for mode in modes)


def mode_at(peer_authentication: Mapping[str, Any], port: int) -> str:
    """Return the mode of the object for a port of the pods."""
    spec = peer_authentication["spec"]
    setting = (spec.get("portLevelMtls") or {}).get(str(port)) or spec.get("mtls") or {}
    return str(setting.get("mode") or "UNSET")


def as_strict(peer_authentication: Mapping[str, Any]) -> Object:
    """Return the object with the mode STRICT, except for ports with a mode of their own."""
    return {**peer_authentication, "spec": {**peer_authentication["spec"], "mtls": {"mode": "STRICT"}}}


def _mode(mode: str, where: str) -> str:
    if str(mode).lower() not in MODES:
        raise InvalidInput(f"{where} is invalid: mode '{mode}' must be one of {', '.join(MODES)}.", option=where)
    return str(mode).upper()
