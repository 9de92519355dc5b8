# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation: it says of every option what the module does with it, and its examples can be run."""

from __future__ import annotations

import ast
import importlib
import re
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meshops.istio.tests.support.documentation import NAMES, ROOT, module, returns
from ansible_collections.meshops.istio.tools.documentation import PACKAGE, documentation

SAID = ("type", "elements", "default", "choices", "aliases", "required")


class Asked(Exception):
    """Carries what a module gives to AnsibleModule."""


def arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    def ask(_self: AnsibleModule, **given: Any) -> None:
        raise Asked(given)

    monkeypatch.setattr(AnsibleModule, "__init__", ask)
    with pytest.raises(Asked) as asked:
        module(name).main()
    found: dict[str, Any] = asked.value.args[0]
    return found


def shape(options: dict[str, Any]) -> dict[str, Any]:
    """Options as argument specs and documentation both describe them."""
    found: dict[str, Any] = {}
    for name, option in options.items():
        shown = {key: option[key] for key in SAID if option.get(key) not in (None, False, [])}
        if option.get("default") is not None:
            shown["default"] = option["default"]
        parts = option.get("options") or option.get("suboptions")
        found[name] = {**shown, "parts": shape(parts)} if parts else shown
    return found


@pytest.mark.parametrize("name", NAMES)
def test_options_are_documented_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documented = shape(documentation(name)["options"])
    assert shape(arguments(name, monkeypatch)["argument_spec"]) == documented


@pytest.mark.parametrize("name", NAMES)
def test_every_module_supports_check_mode(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert arguments(name, monkeypatch)["supports_check_mode"] is True


@pytest.mark.parametrize("name", NAMES)
def test_examples_use_options_that_exist(name: str) -> None:
    options = documentation(name)["options"]
    aliases = {alias for option in options.values() for alias in option.get("aliases", ())}
    tasks = [task for task in yaml.safe_load(module(name).EXAMPLES) if f"meshops.istio.{name}" in task]
    used = {option for task in tasks for option in task[f"meshops.istio.{name}"] or ()}
    assert tasks
    assert used <= {*options, *aliases}


@pytest.mark.parametrize("name", NAMES)
def test_no_result_hides_a_method_of_dictionaries(name: str) -> None:
    # `result.values` in a template would be the method.
    assert not {"values", "items", "keys", "get", "copy", "update", "pop"} & set(returns(name))


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_of_the_types_that_they_are_samples_of(name: str) -> None:
    from ansible_collections.meshops.istio.tests.support.documentation import contradictions

    samples = {key: value["sample"] for key, value in returns(name).items() if value["returned"] != "failure"}
    assert contradictions(name, samples) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_colon_makes_no_map_of_a_sentence(name: str) -> None:
    def maps(tree: Any) -> list[Any]:
        if isinstance(tree, list):
            return [found for item in tree for found in maps(item)]
        if not isinstance(tree, dict):
            return []
        sentences = tree.get("description", [])
        own = [one for one in sentences if not isinstance(one, str)] if isinstance(sentences, list) else []
        return own + [found for value in tree.values() for found in maps(value)]

    assert maps([documentation(name), returns(name)]) == []


@pytest.mark.parametrize("name", NAMES)
def test_paths_are_resolved_where_the_playbook_is(name: str) -> None:
    options = documentation(name)["options"]
    # They have an option for each module of a part, which holds the options of that module.
    nested = name in ("mesh", "upgrade", "upgrade_check")
    holders = [options, *(documentation(part)["options"] for part in options if nested and part in NAMES)]
    plugin = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    lists = {option for option in ("overlays", "release_data", "src", "source") if any(option in of for of in holders)}
    assert {*plugin.files, *plugin.folders} == lists


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("addons", "Kiali, Prometheus, Grafana, Jaeger"),
        ("authorization", "AuthorizationPolicy, RequestAuthentication"),
        ("canary", "VirtualService"),
        ("control_plane", "Istio, istiod"),
        ("control_plane_info", "istiod"),
        ("dashboard", "Kiali, Grafana"),
        ("egress", "ServiceEntry, Sidecar"),
        ("gateway", "Gateway"),
        ("gateway_api", "Gateway API, CRD"),
        ("ingress_info", "ingress gateway"),
        ("injected_manifest", "sidecar"),
        ("injection", "sidecar injection"),
        ("injection_info", "sidecar injection"),
        ("mtls", "PeerAuthentication, mutual TLS"),
        ("openshift", "OpenShift, Route"),
        ("restart", "sidecar"),
        ("revision_tag", "revision tag"),
        ("topology_info", "topology, Gateway"),
        ("traffic_policy", "DestinationRule, EnvoyFilter"),
        ("traffic_route", "VirtualService, HTTPRoute"),
    ],
)
def test_a_search_of_the_module_list_finds_the_kind(name: str, kinds: str) -> None:
    # ansible-doc --list cuts descriptions off when its output goes to grep.
    width = 79 - max(len(f"meshops.istio.{one}") for one in NAMES) - 5
    shown = documentation(name)["short_description"][:width].lower()
    assert [kind for kind in kinds.split(", ") if kind.lower() not in shown] == []


NOT_STANDARD = re.compile(
    r"\b(as long as|bare pods?|by itself|creat\w+ anew|cut off|hand(ed)? over|nobody|plain text only|put up with"
    r"|rehears\w+|somebody|speaks? against|strangers?|(?-i:Whether)|without it|who may not)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("folder", ["doc_fragments", "filter", "inventory", "modules"])
def test_documentation_uses_standard_terms(folder: str) -> None:
    found = []
    for path in sorted((ROOT / "plugins" / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
                text = " ".join(str(ast.literal_eval(node.value)).split())
                found += [f"{path.name}: {match[0]}" for match in NOT_STANDARD.finditer(text)]
    assert found == []
