# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of variables in the README and in each role's, made from the argument specs.

With --check, only tells whether they are in step. The comments between a spec's options are the tables' headings.
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
FACE = ROOT / "roles/mesh/meta/argument_specs.yml"
README = ROOT / "README.md"
REFERENCE = ROOT / "docs/docsite/rst/reference_variables.rst"
COLUMNS = ("variable", "what it says", "type", "default")
BEGIN = "<!-- variables: made by make docs from roles/mesh/meta/argument_specs.yml -->"
END = "<!-- end of variables -->"

# The markup of Ansible's documentation: V(value), O(option), C(code), E(variable), M(module) and so on; nothing nests.
_MARKUP = re.compile(r"\b[VOCEMPI]\(([^()]*(?:\([^()]*\))?[^()]*)\)")
_HEADING_OR_NAME = re.compile(r"^      (?:# (?P<heading>.+)|(?P<name>\w+):)", re.MULTILINE)

Row = tuple[str, str, str, str]


def headings(spec: str) -> dict[str, str]:
    """The heading of each variable, by the text of the spec."""
    heading, found = "", {}
    for match in _HEADING_OR_NAME.finditer(spec):
        if match["heading"]:
            heading = match["heading"]
        else:
            found[match["name"]] = heading
    return found


def rows_by_heading(spec: str) -> list[tuple[str, list[Row]]]:
    """The rows of each table, with its heading, for the text of an argument spec."""
    options: Mapping[str, Mapping[str, Any]] = yaml.safe_load(spec)["argument_specs"]["main"]["options"]
    heading_of = headings(spec)
    found: list[tuple[str, list[Row]]] = []
    for name, option in options.items():
        if not found or found[-1][0] != heading_of[name]:
            found.append((heading_of[name], []))
        found[-1][1].extend(_rows(name, option))
    return found


def tables(spec: str) -> str:
    """The tables for the text of an argument spec, as Markdown."""
    parts = []
    for heading, rows in rows_by_heading(spec):
        lines = [f"### {heading}", ""] if heading else []
        lines += [f"| {' | '.join(COLUMNS)} |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def reference(spec: str) -> str:
    """The page of the documentation site with all variables, as reStructuredText."""
    title = "Reference of variables"
    lines = [
        f".. _ansible_collections.meshops.istio.docsite.{REFERENCE.stem}:",
        "",
        title,
        "=" * len(title),
        "",
        "The variables of the playbooks and of the role ``mesh``. Every one may be text, as an AWX survey gives it. This",
        "page is made from the role's argument spec by ``make docs``.",
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
    """The README of a role, by the text of its argument spec."""
    main: Mapping[str, Any] = yaml.safe_load(spec)["argument_specs"]["main"]
    return "\n".join(
        [
            f"# Role meshops.istio.{role}",
            "",
            f"{main['short_description']}.",
            "",
            "\n\n".join(plain(paragraph) for paragraph in main["description"]),
            "",
            "## Variables",
            "",
            tables(spec),
            "",
            "This page is made from `meta/argument_specs.yml` by `make docs`. "
            "What the roles are for together: [the collection's README](../../README.md).",
            "",
        ]
    )


def plain(text: str) -> str:
    """Documentation without the markup of its words but backquotes."""
    return _MARKUP.sub(r"`\1`", " ".join(text.split()))


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


def rewritten(readme: str, spec: str) -> str:
    """The README's text with its tables as they should be. Exits where the README has no place for them."""
    before, begin, rest = readme.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{README.name} lacks the lines {BEGIN!r} and {END!r}, between which the tables of variables go.")
    return f"{before}{BEGIN}\n\n{tables(spec)}\n\n{END}{after}"


def pages() -> Iterator[tuple[Path, str]]:
    """Each page with tables, and its text as it should be."""
    yield README, rewritten(README.read_text(encoding="utf-8"), FACE.read_text(encoding="utf-8"))
    yield REFERENCE, reference(FACE.read_text(encoding="utf-8"))
    for path in sorted(ROOT.glob(SPECS)):
        role = path.parent.parent
        yield role / "README.md", role_page(role.name, path.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> None:
    """Write the pages, or check them; exits with 1 if one is not in step."""
    for path, wanted in pages():
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
        elif wanted != current:
            sys.exit(f"{path.relative_to(ROOT)} is not in step with the argument specs; run make docs.")


if __name__ == "__main__":
    main(sys.argv[1:])
