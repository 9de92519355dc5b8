# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.summary): what a run left on each cluster, as lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

DOCUMENTATION = r"""
name: summary
short_description: Tell in a few aligned lines what a run left on each cluster
version_added: 0.1.0
author:
  - The meshops.istio authors (@meshops)
description:
  - Makes lines for a person from the C(mesh_result) of each host.
positional: _input
options:
  _input:
    description: The results by host, each as the role P(meshops.istio.mesh#role) leaves it in C(mesh_result).
    type: dict
    required: true
  changes:
    description: Of how many changes each is named. Beyond, they are only counted.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Tell what came of it
  ansible.builtin.debug:
    msg: "{{ {inventory_hostname: mesh_result} | meshops.istio.summary }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "restart": "restarted",
    "recreate": "created anew",
}
_NAMED = 3
"""How many workloads without a label are named."""

Row = tuple[str, ...]


def _control_plane(result: Mapping[str, Any]) -> Iterator[Row]:
    for plane in result.get("control_planes") or ():
        health = "healthy" if plane.get("healthy") else "not healthy"
        yield "control plane", plane.get("version") or "?", f"revision {plane.get('revision') or 'default'}", health
    if not result.get("control_planes"):
        yield "control plane", "none"


def _gateways(result: Mapping[str, Any]) -> Iterator[Row]:
    for gateway in result.get("gateways") or ():
        urls = sorted((gateway.get("urls") or {}).values())
        where = "  ".join(urls) or ("address pending" if gateway.get("pending") else "inside the cluster only")
        yield "gateway", gateway["name"], gateway.get("type") or "", where


def _namespaces(result: Mapping[str, Any]) -> Iterator[Row]:
    for namespace in result.get("namespaces") or ():
        if namespace.get("injection") == "none" and not namespace.get("injector"):
            continue
        pods, sidecars = namespace.get("pods") or 0, namespace.get("with_sidecar") or 0
        injection = namespace.get("revision") or namespace.get("injection") or "not labelled"
        yield "namespace", namespace["name"], f"injection {injection}", f"{sidecars} of {pods} pods with a sidecar"


def _workloads(result: Mapping[str, Any]) -> Iterator[Row]:
    for workload in result.get("workloads") or ():
        if workload["missing"]:
            reason = workload.get("reason") or "restart it, or set mesh_restart"
            yield "no sidecar", f"{workload['kind']} {workload['namespace']}/{workload['name']}", reason


def _unlabelled(result: Mapping[str, Any]) -> Iterator[Row]:
    """What Kiali cannot tell apart, as far as somebody asks how the mesh is."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for one in result.get("unlabelled") or () if "checks" in result else ():
        lacking.setdefault((one["namespace"], " and ".join(one["labels"])), []).append(one["name"])
    for (namespace, labels), names in lacking.items():
        others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield "no label", labels, f"namespace {namespace}", f"{', '.join(names[:_NAMED])}{others}"


def _applications(result: Mapping[str, Any]) -> Iterator[Row]:
    for application in result.get("applications") or ():
        yield "application", application["name"], f"namespace {application.get('namespace') or 'default'}"


def _addons(result: Mapping[str, Any]) -> Iterator[Row]:
    for name, page in (result.get("dashboards") or {}).items():
        yield "addon", name, page.get("url") or f"inside the cluster only, at {page['cluster_url']}"


def _checks(result: Mapping[str, Any]) -> Iterator[Row]:
    for check in result.get("checks") or ():
        yield "check", "ok    " if check["ok"] else "FAILED", check["name"], check["cause"]


def _where(change: Mapping[str, Any]) -> str:
    return f"{change['namespace']}/{change['name']}" if change.get("namespace") else str(change["name"])


def _changes(result: Mapping[str, Any], named: int) -> Iterator[Row]:
    changes: Sequence[Mapping[str, Any]] = result.get("changes") or ()
    title = "would change" if result.get("planned") else "changed"
    if not changes:
        yield title, "nothing"
        return
    counts = Counter(_DONE.get(change["action"], change["action"]) for change in changes)
    yield title, ", ".join(f"{count} {action}" for action, count in counts.items())
    if len(changes) <= named:
        for change in changes:
            yield "", f"{_DONE.get(change['action'], change['action']):<10} {change['kind']} {_where(change)}"


def _block(host: str, result: Mapping[str, Any], named: int) -> Iterator[str]:
    version = f" (Kubernetes {result['kubernetes']})" if result.get("kubernetes") else ""
    yield f"{host}: {result.get('server') or 'a cluster'}{version}"
    for part in (
        _control_plane(result),
        _gateways(result),
        _namespaces(result),
        _workloads(result),
        _unlabelled(result),
        _addons(result),
        _applications(result),
    ):
        yield from _aligned(list(part))
    if "changes" in result:
        yield from _aligned(list(_changes(result, named)))
    yield from _aligned(list(_checks(result)))
    if result.get("planned") and result.get("changes"):
        yield f"  {'plan digest':<15}{result['plan_digest']}"


def _aligned(rows: list[Row]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows), default=0))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
        yield f"  {row[0]:<15}{'  '.join(cells)}".rstrip()


def summary(results: Mapping[str, Mapping[str, Any]], changes: int = 10) -> list[str]:
    """The lines for `results`, by host; each of the changes is named where there are at most `changes`."""
    return [line for host, result in results.items() for line in _block(host, result, changes)]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"summary": summary}
