# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kubeconfigs and clusters say is data: never evaluated on the controller, and shown escaped."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import ApiError
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook, run_program
from ansible_collections.meshops.istio.tests.support.steps import Seen
from markdown_it import MarkdownIt

POLICIES = Kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy")
BINDINGS = POLICIES._replace(kind="ValidatingAdmissionPolicyBinding")
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'touch pwned') }}"
MESSAGES = {
    "template": f"{TEMPLATE} is wanted",
    "statement": "{% for one in lookup('ansible.builtin.pipe', 'touch pwned') %}{{ one }}{% endfor %} is wanted",
    "markdown": "[log in](https://evil.example) ![x](https://evil.example/p) @everyone <img src=x> | `a",
    "terminal": "\x1b]0;owned\x07\x1b[2J\u202e is wanted",
}


@pytest.fixture
def refusal(cluster: Cluster, namespace: str) -> Iterator[Any]:
    """Have the API server refuse each ConfigMap of a namespace with this message."""
    name = f"refusal-{namespace}"

    def refuse(message: str) -> None:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]
        own = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        spec = {
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": own},
            "validations": [{"expression": "object.metadata.name == 'kube-root-ca.crt'", "message": message}],
        }
        binding = {"policyName": name, "validationActions": ["Deny"]}
        for kind, content in ((POLICIES, spec), (BINDINGS, binding)):
            body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, "spec": content}
            cluster.apply(body, manager="tests")
        probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "namespace": namespace}}
        for _attempt in range(600):
            try:
                cluster.create(probe, manager="tests")
            except ApiError:
                return
            cluster.delete(Kind("v1", "ConfigMap"), "probe", namespace)
        pytest.fail("the policy does not refuse")

    yield refuse
    for kind in (BINDINGS, POLICIES):
        with contextlib.suppress(Exception):
            cluster.delete(kind, name)


@pytest.mark.parametrize("case", MESSAGES)
@pytest.mark.step("data 01", "a message of the API server that is a template, a link, or controls of a terminal")
def test_what_the_api_server_says_is_shown_and_not_obeyed(
    case: str, refusal: Any, namespace: str, lab: Lab, tmp_path: Path, seen: Seen
) -> None:
    refusal(MESSAGES[case])
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    variables = {
        "mesh_kubeconfig": lab.kubeconfig,
        "mesh_applications": [{"name": "shop", "namespace": namespace, "definition": [manifest]}],
        "mesh_release_source": lab.release["source"],
        "mesh_report_markdown": "page.md",
        "mesh_report_junit": "junit.xml",
        "mesh_report_json": "mesh.json",
    }
    play = [
        {
            "hosts": "all",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": [{"ansible.builtin.import_role": {"name": "meshops.istio.mesh", "tasks_from": "applications"}}],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    done = run_playbook("play.yml", hosts={"one": variables}, folder=tmp_path, home=tmp_path)
    assert done.returncode == 2, done.text
    assert not (tmp_path / "pwned").exists()
    said = done.failures["one"]
    assert "is wanted" in said or "evil.example" in said
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    tokens = [token for block in MarkdownIt("commonmark").parse(page) for token in (block, *(block.children or ()))]
    assert not {token.type for token in tokens} & {"link_open", "image", "html_inline"}, page
    assert "\x1b" not in done.text + page
    ElementTree.parse(tmp_path / "junit.xml")
    assert json.loads((tmp_path / "mesh.json").read_text(encoding="utf-8"))["hosts"]["one"]["error"]["message"] == said
    seen(f"{case}: nothing was run; said: {said.encode('unicode_escape').decode()[:110]}")


@pytest.mark.parametrize("place", ["context", "server", "answer"])
@pytest.mark.step("data 02", "a kubeconfig, or a cluster's answer, that is a template")
def test_what_a_kubeconfig_says_is_no_template(place: str, lab: Lab, tmp_path: Path, seen: Seen) -> None:
    content = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
    (context,) = content["contexts"]
    server = content["clusters"][0]["cluster"]
    context["name"] = TEMPLATE if place == "context" else "one"
    # The API server quotes the path that it does not know.
    server["server"] += {"context": "", "server": f"/{TEMPLATE}", "answer": f"/api/v1/{TEMPLATE.replace(' ', '%20')}"}[
        place
    ]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content), encoding="utf-8")
    inventory = {
        "plugin": "meshops.istio.contexts",
        "kubeconfig": "kubeconfig",
        "probe": True,
        "compose": {"copied": "mesh_context ~ mesh_server"},
        "keyed_groups": [{"key": "mesh_server", "prefix": "at"}],
    }
    (tmp_path / "meshes.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    done = run_program("ansible-playbook", "-i", "meshes.yml", "meshops.istio.verify", folder=tmp_path, home=tmp_path)
    shown = run_program("ansible", "-i", "meshes.yml", "clusters", "-m", "ansible.builtin.debug", "-a", "var=hostvars",
                        folder=tmp_path, home=tmp_path)  # fmt: skip
    assert shown.returncode == 0, shown.text
    assert "touch" in shown.text
    assert not (tmp_path / "pwned").exists()
    seen(f"{place}: shown as it is by inventory and verify (exit code {done.returncode}), nothing was run")
