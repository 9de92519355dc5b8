# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the injected probes of a pod without a controller, whose fields are immutable."""

from __future__ import annotations

from ...kube.objects.objects import Object

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SIDECAR_PATH = "/app-health/"


def as_injected(obj: Object, live: Object | None) -> Object:
    """Return a pod with the probes that the injector has rewritten in the live one; return other kinds unchanged."""
    if obj["kind"] != "Pod" or live is None:
        return obj
    running = {container["name"]: container for container in live["spec"].get("containers") or ()}
    for container in obj["spec"].get("containers") or ():
        for name in _PROBES:
            ours, theirs = container.get(name), (running.get(container["name"]) or {}).get(name) or {}
            rewritten = theirs.get("httpGet") or {}
            if ours and str(rewritten.get("path", "")).startswith(_SIDECAR_PATH):
                fields = ours.get("httpGet") or ("path", "port")
                timing = {key: value for key, value in ours.items() if key not in ("grpc", "httpGet", "tcpSocket")}
                container[name] = {**timing, "httpGet": {key: rewritten[key] for key in fields if key in rewritten}}
    return obj
