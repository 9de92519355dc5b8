# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format the results of a run as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import sentences
from ansible_collections.meshops.istio.plugins.module_utils.terminal_text import on_one_line
from ansible_collections.meshops.istio.plugins.plugin_utils.report.names import some, where
from ansible_collections.meshops.istio.plugins.plugin_utils.report.status import CLEAN, ERROR, failed_checks, status_of

DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "restart": "restarted",
    "recreate": "recreated",
}
_ALWAYS_PLANNED = ("create", "update", "delete")
"""The actions whose number a plan names also where it is 0."""

_TITLE = 15
"""The width of the first column."""

_CAUSE = 240
"""The maximum length of a cause in the table of clusters."""

Row = tuple[str, ...]


def _control_plane(result: Mapping[str, Any]) -> Iterator[Row]:
    for plane in result.get("control_planes") or ():
        health = "healthy" if plane.get("healthy") else "not healthy"
        yield "control plane", plane.get("version") or "?", f"revision {plane.get('revision') or 'default'}", health
    if not result.get("control_planes"):
        yield "control plane", "none"


def _gateways(result: Mapping[str, Any]) -> Iterator[Row]:
    usual = {plane.get("namespace") for plane in result.get("control_planes") or ()}
    for gateway in result.get("gateways") or ():
        name = gateway["name"] if gateway.get("namespace") in usual else where(gateway)
        urls = sorted((gateway.get("urls") or {}).values())
        reached = "  ".join(urls) or ("address pending" if gateway.get("pending") else "inside the cluster only")
        yield "gateway", name, gateway.get("type") or "", reached


def _namespaces(result: Mapping[str, Any]) -> Iterator[Row]:
    for namespace in result.get("namespaces") or ():
        if namespace.get("injection") == "none" and not namespace.get("injector"):
            continue
        pods, sidecars = namespace.get("pods") or 0, namespace.get("with_sidecar") or 0
        injection = namespace.get("revision") or namespace.get("injection") or "not labelled"
        said = f"{sidecars} of {pods} pods with a sidecar"
        if namespace.get("other_revision"):
            said += f", {namespace['other_revision']} of another revision"
        yield "namespace", namespace["name"], f"injection {injection}", said


def _workloads(result: Mapping[str, Any]) -> Iterator[Row]:
    for workload in result.get("workloads") or ():
        what = "no sidecar" if workload["missing"] else "old revision" if workload.get("other_revision") else ""
        if what:
            reason = workload.get("reason") or _remedy(workload)
            yield what, f"{workload['kind']} {workload['namespace']}/{workload['name']}", reason


def _remedy(workload: Mapping[str, Any]) -> str:
    if workload.get("rolling_out"):
        return f"rollout in progress: {workload.get('progress') or 'new pods have it'}"
    return "restart it, or set mesh_restart"


def _unlabelled(result: Mapping[str, Any]) -> Iterator[Row]:
    """Return workloads without the labels that Kiali needs, if checks were run."""
    missing: dict[tuple[str, str], list[str]] = {}
    for one in result.get("unlabelled") or () if "checks" in result else ():
        missing.setdefault((one["namespace"], " and ".join(one["labels"])), []).append(one["name"])
    for (namespace, labels), names in missing.items():
        yield "no label", labels, f"namespace {namespace}", some(names)


def _applications(result: Mapping[str, Any]) -> Iterator[Row]:
    for application in result.get("applications") or ():
        yield "application", application["name"], f"namespace {application.get('namespace') or 'default'}"


def _addons(result: Mapping[str, Any]) -> Iterator[Row]:
    for name, page in (result.get("dashboards") or {}).items():
        yield "addon", name, page.get("url") or f"inside the cluster only, at {page['cluster_url']}"


def _kept(result: Mapping[str, Any]) -> Iterator[Row]:
    for one in result.get("kept") or ():
        remedy = f" ({one['option']} removes them)" if one.get("option") else ""
        yield "kept", one["part"], ", ".join(one["names"]), f"{one['why']}{remedy}"


def _left_over(result: Mapping[str, Any]) -> Iterator[Row]:
    """Return what the variables no longer declare, with the variable that removes it."""
    for one in result.get("left_over") or ():
        since = f"last applied {one['since'][:10]}" if one.get("since") else "no longer declared"
        remedy = one.get("reason") or f"remove it with mesh_prune_{one['part']}: true, or declare it again"
        yield "left over", f"{one['kind']} {where(one)}", since, remedy


def _backup(result: Mapping[str, Any]) -> Iterator[Row]:
    saved = result.get("backup") or {}
    if saved.get("file"):
        yield "backup", f"{len(saved['resources'])} Istio resources", f"saved to {saved['file']}"


def _findings(result: Mapping[str, Any]) -> Iterator[Row]:
    """Return what is wrong with the release, by the level."""
    findings = result.get("findings") or ()
    for level in ("error", "warning"):
        for sentence in sentences([one for one in findings if one["level"] == level]):
            yield level, sentence


def _checks(result: Mapping[str, Any]) -> Iterator[Row]:
    for check in result.get("checks") or ():
        # The failed task's message has the cause.
        yield "check", "ok    " if check["ok"] else "FAILED", check["name"]


def counts(changes: Sequence[Mapping[str, Any]], *, planned: bool) -> str:
    """Return the numbers of changes by action: `2 created`, or of a plan `2 to create, 0 to update, 0 to delete`."""
    found = Counter(str(change["action"]) for change in changes)
    if planned:
        actions = dict.fromkeys((*_ALWAYS_PLANNED, *found))
        return ", ".join(f"{found[action]} to {action}" for action in actions)
    return ", ".join(f"{count} {DONE.get(action, action)}" for action, count in found.items())


def change_line(changes: Sequence[Mapping[str, Any]], *, planned: bool) -> str:
    """Return the numbers of changes by action, and the first of the changed objects."""
    names = some([f"{change['kind']} {where(change)}" for change in changes])
    return f"{counts(changes, planned=planned)} ({names})"


def _changes(result: Mapping[str, Any], named: int) -> Iterator[Row]:
    changes: Sequence[Mapping[str, Any]] = result.get("changes") or ()
    planned = bool(result.get("planned"))
    title, words = ("plan", {}) if planned else ("changed", DONE)
    if not changes:
        yield title, "nothing to change" if planned else "nothing"
        return
    yield title, counts(changes, planned=planned)
    if len(changes) <= named:
        for change in changes:
            yield "", f"{words.get(change['action'], change['action']):<10} {change['kind']} {where(change)}"


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
        _kept(result),
        _left_over(result),
        _backup(result),
        _findings(result),
    ):
        yield from aligned([*part], _TITLE)
    if "changes" in result:
        yield from aligned([*_changes(result, named)], _TITLE)
    yield from aligned([*_checks(result)], _TITLE)
    if result.get("planned") and result.get("changes"):
        yield f"  {'plan digest':<{_TITLE}}{result['plan_digest']}"


def aligned(rows: Sequence[Row], title: int = 0) -> Iterator[str]:
    """Return rows as lines of aligned columns; `title`: the minimum width of the first column."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows), default=0))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
        first = row[0].ljust(title or widths[0] + 2)
        yield f"  {first}{'  '.join(cells)}".rstrip()


def overview(results: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Return a table: a header, and a row for each cluster; the last column has the causes of failures, if any."""
    head = ("cluster", "status", "istio", "gateways", "sidecars", "changes", "checks")
    rows = [_row(host, result) for host, result in results.items()]
    causes = [_cause(result) for result in results.values()]
    if any(causes):
        return [(*head, "cause"), *((*row, cause) for row, cause in zip(rows, causes, strict=True))]
    return [head, *rows]


def _cause(result: Mapping[str, Any]) -> str:
    """Return why a run or the first check failed; empty if none did."""
    if failure := result.get("error"):
        text = f"{failure['task']}: {failure['message']}"
    else:
        text = next((str(one.get("cause") or one["name"]) for one in failed_checks(result)), "")
    text = " ".join(text.split())
    return text if len(text) <= _CAUSE else f"{text[: _CAUSE - 1].rstrip()}…"


def _row(host: str, result: Mapping[str, Any]) -> Row:
    if "error" in result:
        return host, ERROR, *("-",) * 5
    namespaces = [one for one in result.get("namespaces") or () if one.get("injector")]
    planes = result.get("control_planes") or ()
    gateways = result.get("gateways") or ()
    checks = result.get("checks")
    changes = str(len(result["changes"])) if "changes" in result else "-"
    return (
        host,
        status_of(result),
        ", ".join(f"{one['version']}{'' if one['healthy'] else ' (not healthy)'}" for one in planes) or "none",
        f"{sum(not one['pending'] for one in gateways)} of {len(gateways)}",
        f"{sum(one['with_sidecar'] for one in namespaces)} of {sum(one['pods'] for one in namespaces)}",
        changes,
        f"{len(checks) - len(failed_checks(result))} of {len(checks)}" if checks is not None else "-",
    )


def summary(results: Mapping[str, Mapping[str, Any]], changes: int = 10) -> list[str]:
    """Return the lines for `results` by host. The changes are listed if there are at most `changes`.

    A single cluster has all details. Several have a row each, and details if something was changed, has drifted, or is
    wrong with the release.
    """
    known = {host: result for host, result in results.items() if "error" not in result}
    if len(results) == 1 and known:
        return [on_one_line(line) for host, result in known.items() for line in _block(host, result, changes)]
    lines = [*aligned(overview(results))]
    for host, result in known.items():
        if status_of(result) != CLEAN or result.get("changes") or result.get("findings"):
            lines += ["", *_block(host, result, changes)]
    return [on_one_line(line) for line in lines]
