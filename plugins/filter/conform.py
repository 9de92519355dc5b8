# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.conform): convert variables to the types that a role declares."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.validation import check_type_float, check_type_int
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.redaction import redacted_text
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.reader import check_limits
from ansible_collections.meshops.istio.plugins.plugin_utils.variables import text
from ansible_collections.meshops.istio.plugins.plugin_utils.variables.formats import problems

DOCUMENTATION = r"""
name: conform
short_description: Convert variables to the types in a role's argument specification
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Ansible validates the variables of a role against its argument specification, but does not convert them or set
    defaults. This filter does both.
  - Supports the answers of AWX surveys. A blank answer means the default. A list may be text with items separated by
    line breaks or commas. A list of dictionaries may be YAML or JSON text. Numbers and booleans may be text. A
    dictionary may be YAML, JSON or C(key=value) text.
  - Validates names, hosts, ports and quantities as Kubernetes and Istio do.
  - Values of options with C(no_log) are validated, but not returned.
positional: _input, options
options:
  _input:
    description: Variables by name. Variables that are undefined, V(none) or blank get their default.
    type: dict
    required: true
  options:
    description: Options of the argument specification, as in C(meta/argument_specs.yml).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Convert the answers of a survey
  ansible.builtin.debug:
    msg: "{{ {'ports': '80, 443', 'wait': 'yes'} | meshops.istio.conform(options) }}"
  vars:
    options:
      ports: {type: list, elements: int}
      wait: {type: bool}
      timeout: {type: int, default: 300}
  # settings: {ports: [80, 443], wait: true, timeout: 300}, errors: []
"""

RETURN = r"""
_value:
  description: Converted values, and errors.
  type: dict
  contains:
    settings:
      description: Converted value of each option without C(no_log).
      type: dict
    errors:
      description: Errors, one sentence for each invalid value.
      type: list
      elements: str
"""

_SHOWN = 60


class _Wrong(Exception):
    """An invalid value. The message is a complete sentence."""


def _shown(value: Any, option: Mapping[str, Any]) -> str:
    if option.get("no_log"):
        return "something else"
    shown = redacted_text(repr(str(value) if isinstance(value, str) else value))
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError
    return str(value).strip()


def _path(value: Any) -> str:
    return os.path.expanduser(os.path.expandvars(_text(value)))


def _number(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(check_type_int(value.strip() if isinstance(value, str) else value))


def _fraction(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(check_type_float(value.strip() if isinstance(value, str) else value))
    if not math.isfinite(number):
        raise ValueError
    return number


def _flag(value: Any) -> bool:
    return bool(boolean(value.strip() if isinstance(value, str) else value))


_KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "str": ("text", _text),
    "path": ("a path", _path),
    "int": ("a whole number", _number),
    "float": ("a number", _fraction),
    "bool": ("true or false", _flag),
    "dict": (f"a map ({text.PAIRS})", text.as_map),
    "raw": ("anything", lambda value: value),
}


def _kind(option: Mapping[str, Any]) -> tuple[str, Callable[[Any], Any]]:
    """Return the description of an option's type, and its converter."""
    kind = option.get("type", "str")
    if kind != "list":
        return _KINDS[kind]
    elements = option.get("elements", "raw")
    form = {"dict": text.MAPS, "raw": text.DOCUMENTS}.get(elements, text.ITEMS)
    return f"a list ({form})", lambda value: text.as_list(value, elements)


def _closest(name: Any, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"; did you mean {near[0]}?" if near else f": it is one of {', '.join(sorted(names))}."


def _convert(name: str, value: Any, option: Mapping[str, Any]) -> Any:
    """Convert a value to the type of its option; raises _Wrong."""
    meaning, convert = _kind(option)
    try:
        check_limits(value, name)
        value = convert(value)
    except InvalidInput as beyond:
        raise _Wrong(beyond.message) from None
    except text.NotReadable as error:
        hidden = "" if option.get("no_log") else f": {error}"
        raise _Wrong(f"{name} must be {meaning}, but its text cannot be read{hidden}.") from None
    except (TypeError, ValueError, OverflowError):  # the last is of an infinite number
        raise _Wrong(f"{name} must be {meaning}, but it is {_shown(value, option)}.") from None
    choices = option.get("choices")
    if choices and value not in choices:
        raise _Wrong(
            f"{name} must be one of {', '.join(str(choice) for choice in choices if choice)}, but it is {_shown(value, option)}."
        )
    if isinstance(value, list) and option.get("elements", "raw") != "raw":
        element = {"type": option["elements"], "options": option.get("options"), "no_log": option.get("no_log")}
        return [_convert(f"{name}[{index}]", item, element) for index, item in enumerate(value)]
    if isinstance(value, dict) and option.get("options"):
        return _record(name, value, option["options"])
    return value


def _record(name: str, given: dict[Any, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a dictionary with declared keys. Missing keys stay missing, so that the module's default applies."""
    for key in given:
        if key not in options:
            raise _Wrong(f"{name} has no option {key}{_closest(key, list(options))}")
    for key, option in options.items():
        if option.get("required") and _blank(given.get(key)):
            raise _Wrong(f"{name} lacks {key}, which it must have.")
    return {key: _convert(f"{name}.{key}", value, options[key]) for key, value in given.items() if not _blank(value)}


def conform(given: Any, options: Any) -> dict[str, Any]:
    """Convert `given` by the argument specification `options`, and return one sentence for each error."""
    if not isinstance(given, Mapping) or not isinstance(options, Mapping):
        raise AnsibleFilterError("conform needs a dictionary of variables and the options of an argument specification")
    settings: dict[str, Any] = {}
    errors: list[str] = []
    for name, option in options.items():
        value = given.get(name)
        if _blank(value):
            if option.get("required"):
                errors.append(f"{name} is not set, and it must be.")
            value = option.get("default")
        if not _blank(value):
            try:
                value = _convert(name, value, option)
                errors += problems(name, value)
            except _Wrong as wrong:
                errors.append(str(wrong))
        if not option.get("no_log"):
            settings[name] = value
    return {"settings": settings, "errors": errors}


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"conform": conform}
