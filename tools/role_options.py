# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generate the argument specs of roles, their defaults, and what their tasks pass on, from the modules' documentation.

With --check, only test whether they are up to date. A role's ``meta/options.yml`` has what the documentation cannot have:

``short_description``    of the role, as are ``description``, ``author`` and ``version_added``
``options``              the variables, in their order. Without ``from``, a variable of the role's own, as in an argument spec
``NAME: {from: X}``      a variable for an option of a module, such as ``control_plane.ingress.azure``; for a whole module,
                         a list whose items have all of its options
``PREFIX_*: {from: X}``  one variable for each option of a module, or for each suboption of an option
``sections``             options under headings, instead of ``options``
``of``                   the dictionary that tasks read the variables from
``tasks``                by module, ``given``: arguments that are no variables; ``item``: the dictionary with the options of
                         a list's item

Beside ``from``, any key of an option takes the place of the documentation's; ``default: null`` takes a default away. With
``PREFIX_*`` there may be ``only`` or ``left_out`` (names of options), ``named`` (variables that have other names) and
``changed`` (by option, what is other than documented). An option with suboptions may have ``left_out`` and ``changed``,
too. With ``blank`` a blank value is one of the choices, and the default, as an unanswered question of a survey is blank.

A role without this file has its argument spec written by hand, and only its defaults are written here.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.tools.argspec_table import ROOT
from ansible_collections.meshops.istio.tools.documentation import documentation, fragment
from ansible_collections.meshops.istio.tools.mesh_options import passed
from ansible_collections.meshops.istio.tools.yaml_text import WIDTH, as_yaml

ROLES = ROOT / "roles"
CONNECTION = set(fragment("auth")["options"])
FETCHING = {*fragment("release")["options"], *fragment("download")["options"]} - {"source"}
"""What only the roles that download something pass on: the others are given the release that is there."""
DOWNLOADING = ("gateway_api", "release")
KEYS = ("description", "type", "elements", "choices", "required", "default", "no_log", "options")
ONE_LINE = 80
EMPTY: dict[str, Any] = {"list": [], "dict": {}}

_REFERENCE = re.compile(r"\bO\((?:meshops\.istio\.(\w+)#module:)?([a-z_.\[\]]+)(=(?:[^()]|\([^()]*\))*)?\)")
_RETURNED = re.compile(r"\bRV\(([\w.]+)\)")

Option = dict[str, Any]
Said = Mapping[str, Any]


class Documented(list[str]):
    """A description from a module, whose references are to options of the module."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """The option of a module that a variable passes on, or with an empty path all of the module's options."""

    module: str
    path: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read ``control_plane.ingress.azure``."""
        module, *path = text.split(".")
        return cls(module, tuple(path))

    def below(self, name: str) -> Origin:
        """Return the origin of a suboption."""
        return Origin(self.module, (*self.path, name))

    def option(self) -> Option:
        """Return what the documentation says."""
        found: Option = {"suboptions": documentation(self.module)["options"]}
        for name in self.path:
            found = found["suboptions"][name]
        return found

    def passable(self) -> list[str]:
        """Return the names of the options below it that roles pass on."""
        never = set() if self.path else CONNECTION | (set() if self.module in DOWNLOADING else FETCHING)
        return [name for name in self.option().get("suboptions", ()) if name not in never]


@dataclasses.dataclass
class Variable:
    """A variable of a role."""

    name: str
    option: Option
    origin: Origin | None = None
    omitted: str = ""
    """The condition under which an argument is left out: ``blank``, ``none``, or never."""

    @classmethod
    def derived(cls, name: str, origin: Origin, said: Said) -> Variable:
        """Return the variable for an option of a module, but for what is said otherwise."""
        option = derived(origin.option(), said)
        if said.get("blank") and "choices" in option and "default" not in option:
            option = _ordered({**option, "choices": ["", *option["choices"]], "default": ""})
        omitted = ""
        if option.get("default") is None and not option.get("required"):
            scalar = option["type"] in ("bool", "int", "float")
            omitted = "none" if scalar or "default" in said else "blank"
            # An empty dictionary would lack what a dictionary of its kind must have.
            fillable = any(inner.get("required") for inner in option.get("options", {}).values())
            if "default" not in said and not (fillable and option["type"] == "dict"):
                option = _ordered({**option, "default": EMPTY.get(option["type"])})
        return cls(name, option, origin, omitted)

    def argument(self, of: str) -> str:
        """Return the expression that passes it to the module."""
        name = f"{of}{self.name}"
        condition = {"blank": f"{name} | default(omit, true)", "none": f"omit if {name} is none else {name}"}
        return f"{{{{ {condition.get(self.omitted, name)} }}}}"

    def spelling(self, rest: tuple[str, ...]) -> str:
        """Return what an option within it is called; nothing if it has no such option."""
        option, spelled = self.option, self.name
        for name in rest:
            if name not in option.get("options", ()):
                return ""
            spelled += f"{'[]' if option['type'] == 'list' else ''}.{name}"
            option = option["options"][name]
        return spelled


def derived(documented: Option, said: Said) -> Option:
    """Return the option of an argument spec for one that is documented, but for what is said otherwise."""
    option = {key: documented[key] for key in KEYS if key in documented}
    if "description" in documented:
        texts = documented["description"]
        option["description"] = Documented(texts if isinstance(texts, list) else [texts])
    option |= {key: value for key, value in said.items() if key in KEYS}
    inner: Mapping[str, Option] = documented.get("suboptions", {})
    if inner and option["type"] in ("dict", "list"):
        changed, left_out = said.get("changed", {}), said.get("left_out", ())
        option["options"] = {
            name: derived(inner[name], changed.get(name, {})) for name in inner if name not in left_out
        }
    return _ordered(option)


def _ordered(option: Option) -> Option:
    return {key: option[key] for key in KEYS if option.get(key) is not None}


class Role:
    """A role with a ``meta/options.yml``."""

    def __init__(self, name: str) -> None:
        self.folder = ROLES / name
        self.source: Said = yaml.safe_load((self.folder / "meta/options.yml").read_text(encoding="utf-8"))
        self.of = f"{self.source['of']}." if "of" in self.source else ""
        self.headings: dict[str, str] = {}
        self.modules: set[str] = set()
        """Those whose options are variables as a whole, so that tasks pass them on."""
        self.variables: dict[str, Variable] = {}
        for section in self.source.get("sections", [{"options": self.source.get("options")}]):
            origins = [Origin.parse(said["from"]) for said in section["options"].values() if "from" in said]
            self.modules |= {origin.module for origin in origins if not origin.path}
            added = [variable for key, said in section["options"].items() for variable in _variables(key, said)]
            self.variables |= {variable.name: variable for variable in added}
            if "heading" in section:
                self.headings[added[0].name] = section["heading"]
        for variable in self.variables.values():
            if variable.origin:
                self._refer(variable.option, variable, variable.origin)

    def _refer(self, option: Option, variable: Variable, origin: Origin) -> None:
        """Have what the documentation says of options say it of variables."""

        def referred(match: re.Match[str]) -> str:
            module, path, value = match[1] or origin.module, match[2], match[3] or ""
            return f"O({self._spelling(variable, module, path) or f'meshops.istio.{module}#module:{path}'}{value})"

        if isinstance(option["description"], Documented):
            texts = [_RETURNED.sub(r"C(\1)", _REFERENCE.sub(referred, text)) for text in option["description"]]
            option["description"] = texts[0] if len(texts) == 1 and len(texts[0]) < ONE_LINE else texts
        for inner in option.get("options", {}).values():
            self._refer(inner, variable, origin)

    def _spelling(self, near: Variable, module: str, path: str) -> str:
        """Return what an option of a module is called in this role, by preference within a variable near it."""
        names = tuple(path.replace("[]", "").split("."))
        passing = [(v, v.origin) for v in self.variables.values() if v.origin and v.origin.module == module]
        for variable, origin in sorted(passing, key=lambda pair: (pair[0] is not near, -len(pair[1].path))):
            begin, rest = names[: len(origin.path)], names[len(origin.path) :]
            if begin == origin.path and (spelled := variable.spelling(rest)):
                return spelled
        return ""

    def spec(self) -> str:
        """Return the text of the argument spec."""
        own = {key: value for key, value in self.source.items() if key not in ("options", "sections", "of", "tasks")}
        options = {variable.name: variable.option for variable in self.variables.values()}
        text = as_yaml({"argument_specs": {"main": {**own, "options": options}}})
        for name, heading in self.headings.items():
            text = text.replace(f"\n      {name}:\n", f"\n\n      # {heading}\n      {name}:\n")
        modules = sorted({variable.origin.module for variable in self.variables.values() if variable.origin})
        head = f"Generated by make docs from options.yml and the documentation of {', '.join(modules)}."
        return "\n".join([*textwrap.wrap(head, WIDTH, initial_indent="# ", subsequent_indent="# "), "---", text])

    def tasks(self, text: str) -> str:
        """Return the text of a file of tasks with the arguments of the modules that the variables are for."""
        for module in self.modules:
            lines = "".join(f"    {name}: {value}\n" for name, value in self.arguments(module).items())
            begin, module_line, rest = text.partition(f"\n  meshops.istio.{module}:\n")
            if module_line:
                text = begin + module_line + re.sub(r"\A(?:    .*\n)+", lines.replace("\\", r"\\"), rest)
        return text

    def argument_for(self, option: str) -> str:
        """Return what a task passes as an option such as `control_plane.values`; empty if no variable is that option."""
        found = next((one for one in self.variables.values() if one.origin == Origin.parse(option)), None)
        return found.argument(self.of) if found else ""

    def arguments(self, module: str) -> dict[str, str]:
        """Return what a task passes to a module, by the names of its options."""
        task = self.source.get("tasks", {}).get(module, {})
        of, item, given = self.of, task.get("item"), task.get("given", {})
        variables = {variable.origin: variable for variable in self.variables.values() if variable.origin}
        items = variables[Origin(module)].option["options"] if Origin(module) in variables else {}
        found: dict[str, str] = {}
        for name in documentation(module)["options"]:
            variable = variables.get(Origin(module, (name,)))
            if name in given:
                found[name] = f'"{given[name]}"'
            elif name in items and items[name].get("required"):
                found[name] = f'"{{{{ {item}.{name} }}}}"'
            elif name in items:
                # A number that is not set is not passed.
                unset = " | default(omit, true)" if variable and variable.omitted == "none" else ""
                default = of + variable.name if variable else "omit"
                found[name] = f'"{{{{ {item}.{name} | default({default}){unset} }}}}"'
            elif variable:
                found[name] = f'"{variable.argument(of)}"'
        return found


def _variables(key: str, said: Said) -> Iterator[Variable]:
    """Return the variables that an entry of a role's options stands for."""
    if "from" not in said:
        yield Variable(key, dict(said))
        return
    origin = Origin.parse(said["from"])
    if not key.endswith("*"):
        said = {**said, "left_out": [*said.get("left_out", ()), *_not_passed(origin)]}
        yield Variable.derived(key, origin, {"type": "list", "elements": "dict", **said} if not origin.path else said)
        return
    for name in said.get("only", origin.passable()):
        if name not in said.get("left_out", ()):
            changed = {"blank": said.get("blank", False), **said.get("changed", {}).get(name, {})}
            variable = said.get("named", {}).get(name, f"{key[:-1]}{name}")
            yield Variable.derived(variable, origin.below(name), changed)


def _not_passed(origin: Origin) -> set[str]:
    return set(origin.option().get("suboptions", ())) - set(origin.passable())


def defaults(options: Mapping[str, Option]) -> str:
    """Return the text of a role's defaults."""
    values = {name: option.get("default") for name, option in options.items() if not option.get("required")}
    head = "# Generated by make docs from meta/argument_specs.yml, which describes each variable.\n---\n"
    return head + as_yaml(values)


def files() -> Iterator[tuple[Path, str]]:
    """Return each file that is made, and its text as it should be."""
    folders = sorted(path for path in ROLES.iterdir() if path.is_dir())
    roles = {folder: Role(folder.name) for folder in folders if (folder / "meta/options.yml").exists()}
    for folder in folders:
        spec = folder / "meta/argument_specs.yml"
        text = roles[folder].spec() if folder in roles else spec.read_text(encoding="utf-8")
        yield spec, text
        yield folder / "defaults/main.yml", defaults(yaml.safe_load(text)["argument_specs"]["main"]["options"])
    for folder, role in roles.items():
        paths = sorted((folder / "tasks").rglob("*.yml"))
        texts = {path: role.tasks(path.read_text(encoding="utf-8")) for path in paths}
        yield from passed(texts, role.argument_for).items()


def main(arguments: list[str]) -> None:
    """Write the files, or check them; exits with 1 if one is not in step."""
    for path, wanted in files():
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if "--check" not in arguments and wanted != current:
            path.write_text(wanted, encoding="utf-8")
        elif wanted != current:
            sys.exit(f"{path.relative_to(ROOT)} is not in step with the modules' documentation; run make docs.")


if __name__ == "__main__":
    main(sys.argv[1:])
