# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bare pod that has a sidecar: the injector has led its probes through it, and a pod cannot be changed any more."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_THROUGH_THE_SIDECAR = "/app-health/"


def as_injected(obj: Object, live: Object | None) -> Object:
    """A pod with its probes as the injector has left them in the live one; anything else as it is."""
    if obj["kind"] != "Pod" or live is None:
        return obj
    running = {container["name"]: container for container in live["spec"].get("containers") or ()}
    for container in obj["spec"].get("containers") or ():
        for name in _PROBES:
            ours, theirs = container.get(name), (running.get(container["name"]) or {}).get(name) or {}
            led = theirs.get("httpGet") or {}
            if ours and str(led.get("path", "")).startswith(_THROUGH_THE_SIDECAR):
                asked = ours.get("httpGet") or ("path", "port")
                timing = {key: value for key, value in ours.items() if key not in ("grpc", "httpGet", "tcpSocket")}
                container[name] = {**timing, "httpGet": {key: led[key] for key in asked if key in led}}
    return obj
