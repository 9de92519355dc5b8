# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the rooms of plugins/ and the imports between them into CONTRIBUTING.md.

With --check, only compare. A new folder needs a line in LEVELS.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "ansible_collections.meshops.istio."
PAGE = ROOT / "CONTRIBUTING.md"
BEGIN = "<!-- rooms: made by make docs from tools/rooms.py and the imports -->"
END = "<!-- end of rooms -->"

FILES = "*.py"
"""The files of a folder that lie beside its inner rooms."""

Levels = Mapping[str, Sequence[Mapping[str, str]]]

LEVELS: Levels = {
    "plugins": (
        {
            "action": "Do the part of a module that only the controller can do: resolve paths, show progress",
            "inventory": "List the clusters of a kubeconfig or of Azure as hosts",
        },
        {"filter": "Convert and check values for roles and playbooks"},
        {
            "modules": "Document options and results, and call one function; one noun each",
            "plugin_utils": "",
        },
        {"module_utils": "", "doc_fragments": "Document options that several modules have"},
    ),
    "plugins/plugin_utils": (
        {
            FILES: "Run modules from the controller: payload, progress display, inventories of clusters",
        },
        {
            "report": "Show changes and results of a run: console, JSON, JUnit, Markdown",
            "variables": "Convert and check the variables of roles",
        },
    ),
    "plugins/module_utils": (
        {"tasks": "Do the work of a module, alone or as a part of mesh"},
        {FILES: "Ansible: arguments, check mode, results, failures"},
        {
            "istio": "",
            "minikube": "Run minikube: profiles, tunnel, service URLs",
        },
        {"download": "Download files: proxy, certificates, credentials"},
        {"kube": ""},
    ),
    "plugins/module_utils/istio": (
        {"platforms": "Detect the platform of a cluster; OpenShift's SecurityContextConstraints; memory"},
        {"addons": "Install Kiali, Prometheus, Grafana, Jaeger and others; expose and open their pages"},
        {"upgrade": "Upgrade from one control plane to another: state, waves, gates, checks, what a release changes"},
        {"inspection": "Read a mesh: control planes, prechecks, analysis, proxies, topology"},
        {
            "control_plane": "Render an IstioOperator configuration and install, tag, prune and remove a revision",
            "traffic": "",
            "application": "Deploy, prune and remove the manifests of an application",
        },
        {
            "injection": "Label Namespaces, find the injector of a pod, count sidecars, restart workloads",
            "gateways": "Configure Services of gateways, find their addresses, install the Gateway API CRDs",
        },
        {"release": "Find, download, verify and cache a release; run its istioctl; versions and samples"},
        {"model": "Labels, kinds, owners: the vocabulary"},
    ),
    "plugins/module_utils/istio/traffic": (
        {
            "routes": "VirtualService, HTTPRoute, and DestinationRules of their subsets",
            "gateways": "Gateway, of Istio and of the Gateway API",
            "policies": "DestinationRule policies, EnvoyFilter rate limits",
            "security": "PeerAuthentication, AuthorizationPolicy, RequestAuthentication",
            "egress": "ServiceEntry and Sidecar",
            "canary": "Shift a route's weights in steps; promote or roll back by metrics",
        },
        {"shared": "Options, hosts, destinations, the registry of Services, stages"},
    ),
    "plugins/module_utils/kube": (
        {"apply": "Take the lock, write a plan by server-side apply, delete what is stale"},
        {"plan": "Compare desired with live objects; conflicts, takeover, pruning, permissions, dry run, diff"},
        {"wait": ""},
        {"api": "Connect: kubeconfig, TLS, credentials; read, watch and write objects; pod sockets"},
        {"objects": "Kinds, keys, managed fields, ignored fields, images, selectors; hide secrets in objects"},
        {"yaml": "Read and write YAML"},
        {FILES: "Errors, progress, threads, processes"},
    ),
    "plugins/module_utils/kube/wait": (
        {FILES: "The status of an object, watches, waiting, the diagnosis of what is not ready"},
        {"readiness": "Conditions of ready, kind by kind, as kstatus defines them"},
    ),
}
"""The rooms of each folder, from the top down, and what they hold: an import goes to a lower level of the same folder.

A room without text is a folder of LEVELS.
"""

CALLS = {"plugins": [("action", "modules")]}
"""Arrows that are no imports: Ansible runs the module of an action plugin by its name."""


class Import(NamedTuple):
    """One file of plugins/ that imports another; both are paths below the root."""

    source: Path
    target: Path


class Arrow(NamedTuple):
    """An import as the innermost folder that holds both of its files sees it: from one of its rooms to another."""

    folder: str
    source: str
    target: str


def imported_names(source: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield the names of the modules that a file imports, relative ones made absolute; types' imports included."""
    package = [*PACKAGE.strip(".").split("."), *source.relative_to(root).parts[:-1]]
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            yield base + (node.module or "")
            yield from (f"{base}{node.module + '.' if node.module else ''}{alias.name}" for alias in node.names)


def imports(root: Path = ROOT) -> list[Import]:
    """Return the imports between the files of plugins/."""
    files = {file.relative_to(root) for file in sources(root)}
    return [
        Import(source, target)
        for source in sorted(files)
        for name in imported_names(root / source, root)
        if (target := Path(*name.removeprefix(PACKAGE).split(".")).with_suffix(".py")) in files
    ]


def sources(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files of plugins/ that hold code."""
    return (file for file in (root / "plugins").rglob("*.py") if file.name != "__init__.py")


def arrow_of(found: Import) -> Arrow | None:
    """Return the arrow that an import is, or None within a room."""
    ours, theirs = found.source.parts, found.target.parts
    common = next(number for number, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1])
    source, target = (parts[common] if len(parts) > common + 1 else FILES for parts in (ours, theirs))
    return None if source == target else Arrow("/".join(ours[:common]), source, target)


def unlisted(root: Path = ROOT, levels: Levels = LEVELS) -> list[str]:
    """Return the folders of plugins/ that `levels` lacks, and the rooms of `levels` that do not exist."""
    there = {_room(file.relative_to(root).parent.as_posix(), levels) for file in sources(root)}
    listed = {
        folder if room == FILES else f"{folder}/{room}"
        for folder, floors in levels.items()
        for floor in floors
        for room, text in floor.items()
        if text
    }
    return sorted(there ^ listed)


def _room(folder: str, levels: Levels) -> str:
    """Return the listed room that a folder belongs to, which need not list its own inner folders."""
    parts = folder.split("/")
    for length in range(1, len(parts)):
        outer, inner = "/".join(parts[:length]), parts[length]
        if outer not in levels:
            break
        room = f"{outer}/{inner}"
        if room not in levels:
            return room
    return folder


def upward(root: Path = ROOT, levels: Levels = LEVELS) -> list[str]:
    """Return the imports that do not go to a lower level; what goes down only makes no circle."""
    wrong = []
    for found in imports(root):
        arrow = arrow_of(found)
        if arrow is None or arrow.folder not in levels:
            continue
        floor = {room: number for number, floor in enumerate(levels[arrow.folder]) for room in floor}
        source, target = floor.get(arrow.source), floor.get(arrow.target)
        if source is not None and target is not None and source >= target:
            wrong.append(f"{found.source} imports {found.target}: {arrow.folder}: {arrow.source} -> {arrow.target}")
    return wrong


def picture(root: Path = ROOT, levels: Levels = LEVELS) -> str:
    """Draw the rooms as a Mermaid flowchart; an arrow that follows from others is left out."""
    drawn: dict[str, set[tuple[str, str]]] = {folder: set() for folder in levels}
    for arrow in filter(None, map(arrow_of, imports(root))):
        if arrow.folder in drawn:
            drawn[arrow.folder].add((arrow.source, arrow.target))
    return "\n".join(["```mermaid", "flowchart TD", *_folder("plugins", levels, drawn, "    "), "```"])


def _folder(folder: str, levels: Levels, drawn: Mapping[str, set[tuple[str, str]]], indent: str) -> Iterator[str]:
    rooms = [room for floor in levels[folder] for room in floor]
    for room in rooms:
        inner = f"{folder}/{room}"
        if inner in levels:
            yield f"{indent}subgraph {_id(inner)}[{room}]"
            yield from _folder(inner, levels, drawn, indent + "    ")
            yield f"{indent}end"
        else:
            label = f"{Path(folder).name}/{FILES}" if room == FILES else room
            yield f'{indent}{_id(inner)}["{label}"]'
    arrows = drawn[folder]
    for source in rooms:
        for target in rooms:
            if (source, target) in CALLS.get(folder, ()):
                yield f"{indent}{_id(f'{folder}/{source}')} -. runs .-> {_id(f'{folder}/{target}')}"
            elif (source, target) in arrows and not _follows(source, target, arrows):
                yield f"{indent}{_id(f'{folder}/{source}')} --> {_id(f'{folder}/{target}')}"


def _follows(source: str, target: str, arrows: set[tuple[str, str]]) -> bool:
    """Return whether a way over other rooms leads from one to another."""
    ahead = [second for first, second in arrows if first == source and second != target]
    seen = set(ahead)
    while ahead:
        room = ahead.pop()
        if (room, target) in arrows:
            return True
        onward = {second for first, second in arrows if first == room} - seen - {source}
        seen |= onward
        ahead += onward
    return False


def _id(path: str) -> str:
    return path.removeprefix("plugins/").replace("/", "_").replace(FILES, "files")


def table(levels: Levels = LEVELS) -> str:
    """List the rooms from the top down, each with what it holds."""
    lines = ["| room | holds |", "|---|---|"]
    for folder in levels:
        for room, text in ((room, text) for floor in levels[folder] for room, text in floor.items() if text):
            name = f"{folder.removeprefix('plugins/module_utils/')}/{room}"
            lines.append(f"| `{name}` | {text} |")
    return "\n".join(lines)


def rewritten(page: str) -> str:
    """Return the page with the picture and the table between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"The lines {BEGIN!r} and {END!r} are not in {PAGE.name}: the picture of the rooms goes between them.")
    return f"{before}{BEGIN}\n\n{picture()}\n\n{table()}\n\n{END}{after}"


def main(arguments: list[str]) -> None:
    """Write the page, or check it; exit with 1 for imports that go up or a page that is out of date."""
    if wrong := [*unlisted(), *upward()]:
        sys.exit("\n".join(wrong))
    page = PAGE.read_text(encoding="utf-8")
    wanted = rewritten(page)
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif wanted != page:
        sys.exit(f"{PAGE.name} is out of date with the imports between rooms: run make docs.")


if __name__ == "__main__":
    main(sys.argv[1:])
