# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX's API asks of the objects that it is given, as far as awx/configure.yml makes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import jinja2

Object = dict[str, Any]

APPROVALS = "workflow_approval_templates"

# AWX's own: a file that has no such line is not among the playbooks of a project.
PLAYBOOK = re.compile(r"^\s*?-?\s*?(?:hosts|include|import_playbook):\s*?.*?$", re.MULTILINE)
_RRULE = re.compile(r"^DTSTART(;TZID=[\w/+-]+:\d{8}T\d{6}|:\d{8}T\d{6}Z) RRULE:(?P<rule>[A-Z0-9=,;+-]+)$")
_QUESTIONS: dict[str, type] = {
    "text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int,
    "float": float,
}  # fmt: skip
_ASKED = {
    "question_name", "question_description", "variable", "type", "required", "min", "max", "default", "choices",
}  # fmt: skip
_MULTIPLE = {"multiplechoice", "multiselect"}
_WEBHOOK = {"url": str, "http_method": str, "headers": dict, "username": str, "password": str}


class Refusal(Exception):
    """What AWX does not take; `errors` is its answer."""

    def __init__(self, errors: Object, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(str(errors))
        self.errors, self.status = errors, status


class Field(NamedTuple):
    """What an object's field may be; a relation is the id of another object."""

    type: type | tuple[type, ...] = str
    required: bool = False
    relation: str = ""
    default: Any = ""
    choices: tuple[str, ...] = ()


def _relation(kind: str, *, required: bool = False) -> Field:
    return Field(int, required, kind, None)


@dataclass(frozen=True)
class Kind:
    """The objects of an endpoint: their fields, and what they are linked to."""

    type: str
    fields: Mapping[str, Field]
    links: Mapping[str, str] = field(default_factory=dict)


NAME = Field(str, required=True)
TEXT, FLAG, COUNT = Field(), Field(bool, default=False), Field(int, default=0)
ORGANIZATION = _relation("organizations")
NOTIFIED = {f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")}
LAUNCH = {f"ask_{what}_on_launch": FLAG for what in ("variables", "limit", "inventory", "verbosity")}

KINDS: Mapping[str, Kind] = {
    "organizations": Kind("organization", {"name": NAME}),
    "execution_environments": Kind("execution_environment", {
        "name": NAME, "description": TEXT, "image": Field(str, required=True), "organization": ORGANIZATION,
        "pull": Field(choices=("always", "missing", "never", "")),
    }),
    "credential_types": Kind("credential_type", {
        "name": NAME, "description": TEXT, "kind": Field(required=True, choices=("cloud", "net")), "managed": FLAG,
        "inputs": Field(dict, default={}), "injectors": Field(dict, default={}),
    }),
    "credentials": Kind("credential", {
        "name": NAME, "description": TEXT, "organization": ORGANIZATION, "inputs": Field(dict, default={}),
        "credential_type": _relation("credential_types", required=True),
    }),
    "projects": Kind("project", {
        "name": NAME, "description": TEXT, "organization": ORGANIZATION, "scm_branch": TEXT, "scm_url": TEXT,
        "scm_type": Field(choices=("", "git", "svn", "insights", "archive")),
        "default_environment": _relation("execution_environments"),
    }, NOTIFIED),
    "inventories": Kind("inventory", {
        "name": NAME, "description": TEXT, "organization": _relation("organizations", required=True),
        "kind": Field(choices=("", "smart", "constructed")), "host_filter": Field((str, type(None)), default=None),
        "variables": TEXT,
    }),
    "hosts": Kind("host", {
        "name": NAME, "description": TEXT, "inventory": _relation("inventories", required=True),
        "enabled": Field(bool, default=True), "variables": TEXT,
    }),
    "inventory_sources": Kind("inventory_source", {
        "name": NAME, "description": TEXT, "inventory": _relation("inventories", required=True),
        "source": Field(required=True, choices=("scm",)), "source_path": TEXT, "overwrite": FLAG,
        "overwrite_vars": FLAG, "update_on_launch": FLAG, "update_cache_timeout": COUNT,
        "source_project": _relation("projects"), "credential": _relation("credentials"),
    }, NOTIFIED),
    "notification_templates": Kind("notification_template", {
        "name": NAME, "description": TEXT, "organization": _relation("organizations", required=True),
        "notification_type": Field(required=True, choices=("webhook",)),
        "notification_configuration": Field(dict, required=True, default={}),
        "messages": Field((dict, type(None)), default=None),
    }),
    "job_templates": Kind("job_template", {
        "name": NAME, "description": TEXT, "job_type": Field(choices=("run", "check")), "organization": ORGANIZATION,
        "playbook": Field(required=True), "inventory": _relation("inventories"), "diff_mode": FLAG,
        "project": _relation("projects", required=True), "survey_enabled": FLAG,
        "execution_environment": _relation("execution_environments"), **LAUNCH,
    }, {**NOTIFIED, "credentials": "credentials"}),
    "workflow_job_templates": Kind("workflow_job_template", {
        "name": NAME, "description": TEXT, "organization": ORGANIZATION, "survey_enabled": FLAG, **LAUNCH,
    }, {**NOTIFIED, "notification_templates_approvals": "notification_templates"}),
    "workflow_job_template_nodes": Kind("workflow_job_template_node", {
        "identifier": Field(required=True), "unified_job_template": _relation("*"),
        "workflow_job_template": _relation("workflow_job_templates", required=True),
        "all_parents_must_converge": FLAG,
        # AWX knows what it is; the module says it all the same.
        "type": Field(choices=("workflow_job_template_node", "")),
    }, {f"{after}_nodes": "workflow_job_template_nodes" for after in ("success", "failure", "always")}),
    APPROVALS: Kind("workflow_approval_template", {"name": NAME, "description": TEXT, "timeout": COUNT}),
    "schedules": Kind("schedule", {
        "name": NAME, "description": TEXT, "rrule": Field(required=True), "enabled": Field(bool, default=True),
        "unified_job_template": Field(int, required=True, relation="*"),
    }),
}  # fmt: skip


class Kept(Protocol):
    """What rules look at beside the object itself."""

    playbooks: Path
    objects: dict[str, dict[int, Object]]
    linked: dict[tuple[str, int, str], list[int]]


def check(store: Kept, kind: str, given: Object, kept: Object | None) -> None:
    """Refuse an object that AWX would not take; `kept` is what it was before."""
    errors: dict[str, list[str]] = {}
    for name, message in (*_fields(store, kind, given), *_unique(store, kind, given, kept)):
        errors.setdefault(name, []).append(message)
    if not errors and kind in _OWN:
        for name, message in _OWN[kind](store, given):
            errors.setdefault(name, []).append(message)
    if errors:
        raise Refusal(errors)


def _fields(store: Kept, kind: str, given: Object) -> Iterator[tuple[str, str]]:
    fields = KINDS[kind].fields
    for name in given.keys() - fields.keys() - {"id"}:
        yield name, "AWX knows no such field here."
    for name, wanted in fields.items():
        value = given.get(name, wanted.default)
        if wanted.required and value in ("", None, {}):
            yield name, "This field is required."
        elif name in given and value is not None and not isinstance(value, wanted.type):
            yield name, f"Not a valid {wanted.type}."
        elif wanted.choices and value not in wanted.choices:
            yield name, f'"{value}" is not a valid choice.'
        elif wanted.relation and value is not None:
            among = list(store.objects) if wanted.relation == "*" else [wanted.relation]
            if not any(value in store.objects[one] for one in among):
                yield name, f'Invalid pk "{value}" - object does not exist.'


def _unique(store: Kept, kind: str, given: Object, kept: Object | None) -> Iterator[tuple[str, str]]:
    name = "identifier" if kind == "workflow_job_template_nodes" else "name"
    for other in store.objects[kind].values():
        if other is not kept and kind != APPROVALS and other[name] == given.get(name):
            yield name, f"{KINDS[kind].type} with this name already exists."


def _credential_type(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    fields = given["inputs"].get("fields", [])
    for one in fields:
        if unknown := one.keys() - {"id", "label", "type", "multiline", "secret", "help_text", "choices", "default"}:
            yield "inputs", f"Additional properties are not allowed ({', '.join(unknown)} unexpected)"
    names = {one["id"]: "x" for one in fields}
    if missing := set(given["inputs"].get("required", [])) - names.keys():
        yield "inputs", f"{', '.join(missing)} is required, but no field"
    files = given["injectors"].get("file", {})
    if unknown := given["injectors"].keys() - {"file", "env", "extra_vars"}:
        yield "injectors", f"Additional properties are not allowed ({', '.join(unknown)} unexpected)"
    known = {"tower": {"filename": {name.removeprefix("template."): "x" for name in files}}, **names}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    for part in given["injectors"].values():
        for name, template in part.items():
            try:
                environment.from_string(template).render(**known)
            except jinja2.TemplateError as error:
                yield "injectors", f"Template rendering error for {name}: {error}"


def secrets(credential_type: Object) -> set[str]:
    """The names of a credential type's inputs that are secret."""
    return {one["id"] for one in credential_type["inputs"].get("fields", []) if one.get("secret")}


def _credential(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    fields = store.objects["credential_types"][given["credential_type"]]["inputs"].get("fields", [])
    for name, value in given["inputs"].items():
        if name not in {one["id"] for one in fields}:
            yield "inputs", f"Additional properties are not allowed ({name} was unexpected)"
        if not isinstance(value, str):
            yield "inputs", f"{name} is not of type 'string'"


def _inventory_source(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    if given.get("source_project") is None:
        yield "source_project", "Project required for scm type sources."
    if not (store.playbooks / given.get("source_path", "")).is_file():
        yield "source_path", "The project has no such file."


def _notification(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    configuration = given["notification_configuration"]
    for name, wanted in _WEBHOOK.items():
        if not isinstance(configuration.get(name), wanted):
            yield "notification_configuration", f"Missing or of another type: {name}"
    for event, message in (given.get("messages") or {}).items():
        for part in message.values() if event == "workflow_approval" else [message]:
            text = jinja2.Environment(autoescape=True).from_string(part["body"]).render(job={})
            try:
                json.loads(text)
            except ValueError:
                yield "messages", f"Webhook body of {event} should be a json dictionary."


def _job_template(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    if not given.get("inventory") and not given.get("ask_inventory_on_launch"):
        yield "inventory", "Job Template must provide 'inventory' or allow prompting for it."
    path = store.playbooks / given["playbook"]
    if not path.is_file() or not PLAYBOOK.search(path.read_text(encoding="utf-8")):
        yield "playbook", "Playbook not found for project."


def _schedule(store: Kept, given: Object) -> Iterator[tuple[str, str]]:
    found = _RRULE.match(given["rrule"])
    if not found:
        yield "rrule", "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
    elif "INTERVAL=" not in found["rule"]:
        yield "rrule", "INTERVAL required in rrule."


_OWN: Mapping[str, Callable[[Kept, Object], Iterator[tuple[str, str]]]] = {
    "credential_types": _credential_type,
    "credentials": _credential,
    "inventory_sources": _inventory_source,
    "job_templates": _job_template,
    "notification_templates": _notification,
    "schedules": _schedule,
}


def check_link(store: Kept, kind: str, number: int, name: str, other: int) -> None:
    """Refuse a second credential of one type, and a workflow that comes back to where it was."""
    linked = store.linked[kind, number, name]
    if name == "credentials":
        types = [store.objects["credentials"][one]["credential_type"] for one in (*linked, other)]
        if len(set(types)) < len(types):
            raise Refusal({"error": "Cannot assign multiple credentials of one type."})
    if kind == "workflow_job_template_nodes" and number in _after(store, other):
        raise Refusal({"Error": "Cycle detected."})


def _after(store: Kept, number: int) -> set[int]:
    found, ahead = {number}, [number]
    while ahead:
        one = ahead.pop()
        following = [other for name in KINDS["workflow_job_template_nodes"].links
                     for other in store.linked.get(("workflow_job_template_nodes", one, name), [])]  # fmt: skip
        ahead += [other for other in following if other not in found]
        found.update(following)
    return found


def check_survey(spec: Object) -> None:
    """Refuse a survey that AWX would not take, by AWX's sentences."""
    for name, wanted in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(name), wanted):
            raise Refusal({"error": f"Field '{name}' is missing from survey spec, or of another type."})
    seen: set[str] = set()
    for index, question in enumerate(spec["spec"]):
        for message in _question(index, question):
            raise Refusal({"error": message})
        if question["variable"] in seen:
            raise Refusal({"error": f"'variable' '{question['variable']}' duplicated in survey question {index}."})
        seen.add(question["variable"])


def _question(index: int, question: Object) -> Iterator[str]:
    if unknown := question.keys() - _ASKED:
        yield f"Survey question {index} has {', '.join(unknown)}."
    for name in ("type", "question_name", "variable", "required"):
        if not isinstance(question.get(name), bool if name == "required" else str):
            yield f"'{name}' in survey question {index} is missing or of another type."
    kind, default = question["type"], question.get("default", "")
    if kind not in _QUESTIONS:
        yield f"'{kind}' in survey question {index} is not one of the allowed question types."
    elif default != "" and (not isinstance(default, _QUESTIONS[kind]) or isinstance(default, bool)):
        yield f"Default value {default} in survey question {index} expected to be {kind}."
    elif kind in _MULTIPLE and not question.get("choices"):
        yield f"Survey question {index} of type {kind} must specify choices."
    elif kind in _MULTIPLE and any(one not in question["choices"] for one in default.splitlines()):
        yield "Default choice must be answered from the choices listed."
    for name in ("min", "max"):
        if not isinstance(question.get(name), int | None):
            yield f"The {name} limit in survey question {index} expected to be integer."


def answer_errors(question: Object, answers: Mapping[str, Any]) -> Iterator[str]:
    """What AWX says to the answer to a question, before it starts a job."""
    name = question["variable"]
    if name not in answers:
        if question["required"]:
            yield f"'{name}' value missing"
        return
    value, kind = answers[name], question["type"]
    if kind in ("text", "textarea", "password"):
        if not isinstance(value, str):
            yield f"Value {value} for '{name}' expected to be a string."
        elif len(value) > question.get("max", len(value)):
            yield f"'{name}' value {value} is too large (must be no more than {question['max']})."
    elif kind == "integer" and type(value) is not int:
        yield f"Value {value} for '{name}' expected to be an integer."
    elif kind == "float" and type(value) not in (float, int):
        yield f"Value {value} for '{name}' expected to be a numeric type."
    elif kind == "multiselect" and not isinstance(value, list):
        yield f"'{name}' value is expected to be a list."
    elif kind in _MULTIPLE:
        for one in value if kind == "multiselect" else [value]:
            if one not in question["choices"]:
                yield f"Value {one} for '{name}' expected to be one of {question['choices']}."
