# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ansible.release
import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.compat.version import LooseVersion
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from ansible_collections.meshops.istio.plugins.filter.conform import conform
from ansible_collections.meshops.istio.plugins.plugin_utils.variables import unknown

display = Display()

OLDEST_CORE = "2.17.0"
"""As meta/runtime.yml says, of which Ansible itself only warns."""

SPEC = {
    "others": {"type": "list", "elements": "str", "default": []},
    "required_one_of": {"type": "list", "elements": "list", "default": []},
    "confirmation": {
        "type": "dict",
        "options": {
            "option": {"type": "str", "required": True},
            "when": {"type": "dict", "default": {}},
            "message": {"type": "str", "required": True},
        },
    },
}


class ActionModule(ActionBase):
    """Validate and convert the variables of the task's role. The output shows what is wrong, and never the values."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the converted values, or fail with a sentence for each mistake."""
        super().run(tmp, task_vars)
        if LooseVersion(ansible.release.__version__) < LooseVersion(OLDEST_CORE):
            return _failure(_too_old(str((task_vars or {}).get("ansible_playbook_python", "python3"))))
        _validated, given = self.validate_argument_spec(SPEC)
        variables = task_vars or {}
        options = self._options()
        try:
            values = {name: self._templar.template(variables.get(name)) for name in options}
        except AnsibleError as error:
            return _failure(f"A variable cannot be templated: {error}")
        read = conform(values, options)
        settings = read["settings"]
        errors = self._unknown_variables(variables, {*options, *given["others"]})
        errors += [*read["errors"], *_none_of(given["required_one_of"], settings)]
        if not errors and not self._task.check_mode:
            errors += _unconfirmed(given["confirmation"], settings)
        if errors:
            return _failure(" ".join(errors))
        # Manifests and values may hold secrets.
        return {"changed": False, **settings, "_ansible_no_log": True}

    def _unknown_variables(self, variables: Mapping[str, Any], declared: set[str]) -> list[str]:
        """Return an error for each variable that is not declared and probably means one that is; warn of others.

        Extra variables with the names of results and of internal variables (`__mesh_*`), which they would replace, are
        errors too. Of roles other than mesh, whose prefixes are common words, there are warnings only.
        """
        prefix = f"{self._task._role.get_name(include_role_fqcn=False)}_"
        results = unknown.names_in(Path(self._task._role._role_path), prefix) - declared
        known = declared | results
        errors = [
            f"{name} is an internal variable of the role {prefix[:-1]}, which cannot be set. Remove it."
            for name in sorted(load_extra_vars(self._loader))
            if name in results or name.startswith(f"__{prefix}")
        ]
        errors += [f"{old} was renamed. Set {new} instead." for old, new in unknown.RENAMED.items() if old in variables]
        for name in sorted(variables.keys() - known - unknown.RENAMED.keys()):
            if not name.startswith(prefix):
                continue
            meant = unknown.meant(name, prefix, declared)
            if meant and prefix == "mesh_":
                errors.append(f"{name} is not a variable of this collection. Did you mean {meant}?")
            elif meant:
                display.warning(f"{name} is not a variable of the role {prefix[:-1]}. Did you mean {meant}?")
            elif prefix == "mesh_":
                display.warning(f"{name} is not a variable of this collection: no task of it uses {name}.")
        return errors

    def _options(self) -> dict[str, Any]:
        """The options in the argument specification of the task's role."""
        path = os.path.join(self._task._role._role_path, "meta", "argument_specs.yml")
        with open(path, encoding="utf-8") as file:
            options: dict[str, Any] = yaml.safe_load(file)["argument_specs"]["main"]["options"]
        return options


def _failure(message: str) -> dict[str, Any]:
    return {"changed": False, "failed": True, "msg": message, "code": "invalid_input"}


def _too_old(python: str) -> str:
    return (
        f"This is ansible-core {ansible.release.__version__}, and the collection meshops.istio needs {OLDEST_CORE} or"
        f" newer: install one with {python} -m pip install 'ansible-core>={OLDEST_CORE}', or run this in an execution"
        " environment."
    )


def _none_of(groups: list[list[str]], settings: Mapping[str, Any]) -> Iterator[str]:
    for names in groups:
        if not any(settings.get(name) for name in names):
            yield f"Neither {' nor '.join(names)} is set; set one of them."


def _unconfirmed(confirmation: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> list[str]:
    """The message of a confirmation that the settings need and do not have."""
    if confirmation is None or settings.get(confirmation["option"]):
        return []
    needed = all(settings.get(name) == value for name, value in confirmation["when"].items())
    return [confirmation["message"]] if needed else []
