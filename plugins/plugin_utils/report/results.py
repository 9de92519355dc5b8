# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Normalize results for reports: missing values and values of a wrong type get defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ITEMS: dict[str, dict[str, Any]] = {
    "control_planes": {"version": "?", "revision": "", "healthy": False},
    "gateways": {"name": "?", "type": "", "pending": False, "urls": {}},
    "namespaces": {"name": "?", "injection": "", "injector": "", "revision": "", "pods": 0, "with_sidecar": 0},
    "workloads": {"kind": "?", "namespace": "", "name": "?", "missing": False, "reason": ""},
    "unlabelled": {"namespace": "", "name": "?", "labels": []},
    "applications": {"name": "?", "namespace": ""},
    "left_over": {"part": "", "kind": "?", "namespace": "", "name": "?", "since": "", "reason": ""},
    "findings": {
        "code": "",
        "level": "warning",
        "release": "?",
        "origin": "?",
        "message": "",
        "fix": "",
        "fixed_in": "",
    },
    "checks": {"name": "?", "ok": False, "cause": ""},
    "changes": {"action": "?", "kind": "?", "namespace": "", "name": "?"},
}
_TEXTS = ("server", "kubernetes", "plan_digest")


def readable_results(given: Any) -> dict[str, dict[str, Any]]:
    """Return the results of each host, normalized."""
    hosts = given if isinstance(given, Mapping) else {}
    return {str(host): _readable(result) for host, result in hosts.items()}


def _readable(result: Any) -> dict[str, Any]:
    read = dict(result) if isinstance(result, Mapping) else {}
    for name, defaults in _ITEMS.items():
        if name in read:
            items = read[name] if isinstance(read[name], (list, tuple)) else ()
            read[name] = [_item(item, defaults) for item in items if isinstance(item, Mapping)]
    for name in _TEXTS:
        if name in read:
            read[name] = str(read[name] or "")
    if "error" in read:
        read["error"] = _item(read["error"], {"task": "?", "message": "?"})
    if "dashboards" in read:
        pages = read["dashboards"] if isinstance(read["dashboards"], Mapping) else {}
        read["dashboards"] = {str(name): _item(page, {"url": "", "cluster_url": "?"}) for name, page in pages.items()}
    if read.get("planned") and read.get("changes"):
        read.setdefault("plan_digest", "?")
    return read


def _item(item: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    given = item if isinstance(item, Mapping) else {}
    read = {name: _value(given.get(name), default) for name, default in defaults.items()}
    return {**given, **read}


def _value(value: Any, default: Any) -> Any:
    if isinstance(default, dict):
        return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else default
    if isinstance(default, list):
        return [str(text) for text in value] if isinstance(value, (list, tuple)) else default
    if isinstance(default, str):
        return default if value is None or isinstance(value, (Mapping, list, tuple)) else str(value)
    return value if isinstance(value, type(default)) else default
