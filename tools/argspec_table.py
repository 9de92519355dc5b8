# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the tables of variables from the argument specs: a README for each role, a reference page for the role mesh.

With --check, only compare. The comments between a spec's options are the tables' headings.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SPECS = "roles/*/meta/argument_specs.yml"
ENTRY = "mesh"
"""The role whose variables have a page of the reference, and are not in its README once more."""

REFERENCE = ROOT / "docs/docsite/rst/reference_variables.rst"
COLUMNS = ("variable", "description", "type", "default")

EXAMPLES = {
    "addons": ["version: 1.31.4", "names: [prometheus, kiali]"],
    "applications": ["version: 1.31.4", "units:", "  - {name: helloworld, namespace: shop, sample: helloworld}"],
    "canary": [
        "name: reviews",
        "namespace: shop",
        "subset: v2",
        "steps: [5, 25, 50, 100]",
        "answers: {url: http://shop.example.com/reviews, min_success: 99.5}",
    ],
    "cluster": ["provider: minikube", "name: shop"],
    "control_plane": ["version: 1.31.4", "profile: demo"],
    "gateway_api": ["version: v1.4.0"],
    "ingress": ["wait: true"],
    "injection": ["namespaces: [shop]"],
    "mesh": ["version: 1.31.4", "profile: demo", "inject_namespaces: [shop]"],
    "openshift": ["projects: [shop]"],
    "release": ["version: 1.31.4"],
    "upgrade": ["control_plane: {version: 1.31.4, profile: demo}", "waves: [test]", "wave_size: 25%"],
}
"""Variables of each role's example, without the role's name before theirs."""

# The markup of Ansible's documentation: V(value), O(option), C(code), E(variable), M(module) and so on; nothing nests.
_MARKUP = re.compile(r"\b[VOCEMPI]\(([^()]*(?:\([^()]*\))?[^()]*)\)")
_HEADING_OR_NAME = re.compile(r"^      (?:# (?P<heading>.+)|(?P<name>\w+):)", re.MULTILINE)

Row = tuple[str, str, str, str]


def headings(spec: str) -> dict[str, str]:
    """Return the heading of each variable, by the text of the spec."""
    heading, found = "", {}
    for match in _HEADING_OR_NAME.finditer(spec):
        if match["heading"]:
            heading = match["heading"]
        else:
            found[match["name"]] = heading
    return found


def rows_by_heading(spec: str) -> list[tuple[str, list[Row]]]:
    """Return the rows of each table, with its heading, for the text of an argument spec."""
    options: Mapping[str, Mapping[str, Any]] = yaml.safe_load(spec)["argument_specs"]["main"]["options"]
    heading_of = headings(spec)
    found: list[tuple[str, list[Row]]] = []
    for name, option in options.items():
        if not found or found[-1][0] != heading_of[name]:
            found.append((heading_of[name], []))
        found[-1][1].extend(_rows(name, option))
    return found


def tables(spec: str) -> str:
    """Return the tables for the text of an argument spec, as Markdown."""
    parts = []
    for heading, rows in rows_by_heading(spec):
        lines = [f"### {heading}", ""] if heading else []
        lines += [f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def reference(spec: str) -> str:
    """Return the reference page with all variables, as reStructuredText."""
    title = "Reference of variables"
    lines = [
        f".. _ansible_collections.meshops.istio.docsite.{REFERENCE.stem}:",
        "",
        title,
        "=" * len(title),
        "",
        ".. code-block:: console",
        "",
        "    $ ansible-playbook meshops.istio.site -e @mesh.yml -e mesh_profile=demo",
        "",
        "The variables of the playbooks and of the role ``mesh``. Each also accepts text, such as an AWX survey gives: a",
        "blank text stands for the default, a list is one item per line or separated by commas. ``make docs`` writes this",
        "page from the role's argument spec.",
    ]
    for heading, rows in rows_by_heading(spec):
        lines += ["", heading, "-" * len(heading)] if heading else []
        lines += ["", ".. list-table::", "   :header-rows: 1", "   :widths: 28 50 10 12", ""]
        for row in (COLUMNS, *rows):
            for number, cell in enumerate(row):
                text = cell.replace("\\", "\\\\").replace("*", "\\*").replace("`", "``")
                lines.append(f"   {'* -' if number == 0 else '  -'} {text}".rstrip())
    return "\n".join([*lines, ""])


def role_page(role: str, spec: str) -> str:
    """Return the README of a role, by the text of its argument spec."""
    main: Mapping[str, Any] = yaml.safe_load(spec)["argument_specs"]["main"]
    return "\n".join(
        [
            f"# Role meshops.istio.{role}",
            "",
            f"{main['short_description']}.",
            "",
            "```yaml",
            *example(role),
            "```",
            "",
            "\n\n".join(plain(paragraph) for paragraph in main["description"]),
            "",
            "## Variables",
            "",
            tables(spec)
            if role != ENTRY
            else f"See the [reference of variables](../../{REFERENCE.relative_to(ROOT).as_posix()}), or "
            f"`ansible-doc -t role meshops.istio.{role}`.",
            "",
            "`make docs` writes this page from `meta/argument_specs.yml`. "
            "[The collection's README](../../README.md) has the playbooks and guides.",
            "",
        ]
    )


def example(role: str) -> Iterator[str]:
    """Yield the lines of a play with the role, with the variables of EXAMPLES."""
    yield from [
        "- hosts: localhost",
        "  connection: local",
        "  roles:",
        f"    - role: meshops.istio.{role}",
        "      vars:",
    ]
    yield from (f"        {role}_{line}" if not line.startswith(" ") else f"        {line}" for line in EXAMPLES[role])


def plain(text: str) -> str:
    """Return documentation with backquotes in place of its markup."""
    return _MARKUP.sub(r"`\1`", " ".join(text.split()).replace("#role)", ")"))


def _rows(name: str, option: Mapping[str, Any]) -> Iterator[Row]:
    description = option["description"]
    sentences = " ".join(description) if isinstance(description, list) else str(description)
    text = plain(sentences)
    choices = [f"`{choice}`" for choice in option.get("choices", ()) if choice != ""]
    if choices:
        text += f" One of {', '.join(choices)}."
    kind = f"list of {option['elements']}" if option["type"] == "list" and "elements" in option else option["type"]
    yield f"`{name}`", text, kind, _default(option)
    for key, inner in option.get("options", {}).items():
        yield from _rows(f"{name}[].{key}" if option["type"] == "list" else f"{name}.{key}", inner)


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "required"
    default = option.get("default")
    if default in (None, "", [], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page with its text as it should be."""
    for path in sorted(ROOT.glob(SPECS)):
        role, spec = path.parent.parent, path.read_text(encoding="utf-8")
        yield role / "README.md", role_page(role.name, spec)
        if role.name == ENTRY:
            yield REFERENCE, reference(spec)


def main(arguments: list[str]) -> None:
    """Write the pages, or check them; exit with 1 if one is out of date."""
    for path, wanted in pages():
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
        elif wanted != current:
            sys.exit(f"{path.relative_to(ROOT)} is out of date with the argument specs: run make docs.")


if __name__ == "__main__":
    main(sys.argv[1:])
