# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surveys of AWX's job templates, made from the roles' argument specs as awx/surveys.yml says.

With --check, only tells whether they are in step. The mapping:

=====================  ========================  ==========================================
an option that is      is asked for as           and its default is
=====================  ========================  ==========================================
a secret (no_log)      password                  never there
one of some choices    multiplechoice            its own; blank leaves the question open
a boolean              multiplechoice            true or false, as text
an int, a float        integer, float            its own
a list with choices    multiselect               its own, one a line
another list           textarea, one item a line its own, one a line
a text, a path         text                      its own
a dictionary, a list   nothing: it is refused
of dictionaries
=====================  ========================  ==========================================

Where an option has no default, its question has none: AWX would send a blank one with each launch.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.tools.argspec_table import ROOT, headings, plain

SELECTION = ROOT / "awx/surveys.yml"
SURVEYS = ROOT / "awx/configuration/surveys.yml"
HEADER = "# Made by make docs from awx/surveys.yml and the argument specs of the roles.\n---\n"
LONGEST = 1024
"""Of a text, the characters that AWX lets pass."""

Option = Mapping[str, Any]
Question = dict[str, Any]


def askable(option: Option) -> bool:
    """Whether a survey can ask for an option."""
    return option["type"] != "dict" and option.get("elements") != "dict"


def question(variable: str, option: Option, *, heading: str = "", required: bool = False) -> Question:
    """A question of a survey for the option of an argument spec. Exits where no survey can ask for it."""
    if not askable(option):
        sys.exit(f"No survey can ask for {variable}, a dictionary; put it into left_out of awx/surveys.yml.")
    kind, default = _kind(option), option.get("default")
    asked: Question = {
        "question_name": f"{heading}: {variable}" if heading else variable,
        "question_description": _description(option),
        "variable": variable,
        "type": kind,
        "required": required or bool(option.get("required")),
    }
    if kind in ("multiplechoice", "multiselect"):
        asked["choices"] = [str(choice) for choice in option.get("choices", ("true", "false")) if choice != ""]
    if kind in ("text", "textarea", "password"):
        asked |= {"min": 0, "max": LONGEST if kind != "textarea" else 16 * LONGEST}
    if kind != "password" and default not in (None, "", []) and not (required and option["type"] == "bool"):
        asked["default"] = _default(kind, default)
    return asked


def _kind(option: Option) -> str:
    if option.get("no_log"):
        return "password"
    if option["type"] == "list":
        return "multiselect" if option.get("choices") else "textarea"
    if option.get("choices") or option["type"] == "bool":
        return "multiplechoice"
    return {"int": "integer", "float": "float"}.get(option["type"], "text")


def _default(kind: str, default: Any) -> Any:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return "\n".join(map(str, default))
    return float(default) if kind == "float" else default


def _description(option: Option) -> str:
    said = option["description"]
    text = plain(" ".join(said) if isinstance(said, list) else said).replace("`", "")
    return f"{text} One item a line." if option["type"] == "list" else text


def survey(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The survey of this name, as AWX takes it."""
    spec = (ROOT / "roles" / wanted["role"] / "meta/argument_specs.yml").read_text(encoding="utf-8")
    options: Mapping[str, Option] = yaml.safe_load(spec)["argument_specs"]["main"]["options"]
    heading_of = headings(spec)
    if "items_of" in wanted:
        options, heading_of = options[wanted["items_of"]]["options"], {}
    unknown = [one for one in wanted["questions"] if one not in options]
    if unknown:
        sys.exit(f"The survey {name} asks for {', '.join(unknown)}, which the role {wanted['role']} does not have.")
    return {
        "name": name,
        "description": wanted["description"],
        "spec": [
            question(
                wanted.get("prefix", "") + one,
                options[one],
                heading=heading_of.get(one, ""),
                required=one in wanted.get("required", ()),
            )
            for one in wanted["questions"]
        ],
    }


def surveys() -> str:
    """The text of the file with all surveys, each as a variable of its own."""
    selection = yaml.safe_load(SELECTION.read_text(encoding="utf-8"))["surveys"]
    made = {f"mesh_survey_{name}": survey(name, wanted) for name, wanted in selection.items()}
    return HEADER + yaml.dump(made, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=100)


class _Indented(yaml.SafeDumper):
    """Lists a step further in than what they are of, as the other files have them."""

    def increase_indent(self, flow: bool = False, *_: bool, **__: bool) -> None:
        super().increase_indent(flow, False)


def main(arguments: list[str]) -> None:
    """Write the surveys, or check them; exits with 1 where they are not in step."""
    wanted = surveys()
    current = SURVEYS.read_text(encoding="utf-8") if SURVEYS.exists() else ""
    if "--check" not in arguments:
        SURVEYS.write_text(wanted, encoding="utf-8")
    elif wanted != current:
        sys.exit(f"{Path(SURVEYS).relative_to(ROOT)} is not in step with the argument specs; run make docs.")


if __name__ == "__main__":
    main(sys.argv[1:])
