# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds a PeerAuthentication: whether workloads take plain text, mutual TLS, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....kube.errors import InvalidInput
from ..shared.fields import SECURITY, Object, Options, given, make, texts

MODES = ("strict", "permissive", "disable", "unset")


def build(options: Options) -> list[Object]:
    """The PeerAuthentication of `mtls`'s options. Raises InvalidInput for what can be told without a cluster."""
    selector, ports = options.get("selector"), options.get("ports") or {}
    if ports and not selector:
        raise InvalidInput("Modes for single ports need a selector, the workload's labels.", option="ports")
    odd = next((port for port in ports if not str(port).isdigit()), None)
    if odd is not None:
        raise InvalidInput(f"ports: '{odd}' is not a port's number.", option="ports")
    spec = given(
        selector=given(matchLabels=texts(selector)),
        mtls={"mode": options["mode"].upper()},
        portLevelMtls={str(port): {"mode": _mode(mode, f"ports.{port}")} for port, mode in ports.items()},
    )
    return [make(SECURITY, "PeerAuthentication", options["namespace"], options["name"], spec)]


def strict_somewhere(peer_authentication: Mapping[str, Any]) -> bool:
    """Whether the object refuses plain text, at all ports or at some."""
    spec = peer_authentication.get("spec") or {}
    modes = [spec.get("mtls") or {}, *(spec.get("portLevelMtls") or {}).values()]
    return any(mode.get("mode") == "STRICT" for mode in modes)


def mode_at(peer_authentication: Mapping[str, Any], port: int) -> str:
    """The mode that the object sets for a port of the pods."""
    spec = peer_authentication["spec"]
    setting = (spec.get("portLevelMtls") or {}).get(str(port)) or spec.get("mtls") or {}
    return str(setting.get("mode") or "UNSET")


def as_strict(peer_authentication: Mapping[str, Any]) -> Object:
    """The object as it would be with mutual TLS only, at all ports of which it says nothing else."""
    return {**peer_authentication, "spec": {**peer_authentication["spec"], "mtls": {"mode": "STRICT"}}}


def _mode(mode: str, where: str) -> str:
    if str(mode).lower() not in MODES:
        raise InvalidInput(f"{where}: '{mode}' is none of {', '.join(MODES)}.", option=where)
    return str(mode).upper()
