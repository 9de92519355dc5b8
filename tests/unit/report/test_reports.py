# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of a run for programs and pull requests: what a pipeline reads in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.meshops.istio.plugins.plugin_utils.report.lines import summary
from ansible_collections.meshops.istio.plugins.plugin_utils.report.machine import as_json, as_junit
from ansible_collections.meshops.istio.plugins.plugin_utils.report.page import LONGEST, MARK, as_markdown
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook, run_program
from markdown_it import MarkdownIt

HOLDS = {"name": "control plane default is installed", "ok": True, "cause": ""}
LACKS = {"name": "namespace shop is in the mesh", "ok": False, "cause": "The namespace shop does not exist."}
CLEAN: dict[str, Any] = {"server": "https://10.0.0.1:6443", "checks": [HOLDS]}
DRIFT: dict[str, Any] = {"server": "https://10.0.0.2:6443", "checks": [HOLDS, LACKS]}
BROKEN: dict[str, Any] = {"error": {"task": "Read what is installed", "message": "It answers <nothing>\x1b & ends."}}
CHANGE = {"action": "create", "api_version": "v1", "kind": "Service", "namespace": "shop", "name": "web"}
PLAN: dict[str, Any] = {"planned": True, "changes": [CHANGE], "plan_digest": "6fd5aa"}


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ({"a": CLEAN}, "clean"),
        ({"a": CLEAN, "b": DRIFT}, "drift"),
        ({"a": CLEAN, "b": DRIFT, "c": BROKEN}, "error"),
        ({"a": PLAN}, "drift"),
        ({"a": {**PLAN, "changes": []}}, "clean"),
        ({"a": {"planned": False, "changes": [CHANGE]}}, "clean"),
        ({}, "error"),
    ],
)
def test_the_status_of_all_is_the_worst(results: dict[str, Any], status: str) -> None:
    assert json.loads(as_json(results))["status"] == status


def test_the_json_summary_says_of_each_host_what_does_not_hold() -> None:
    hosts = json.loads(as_json({"a": CLEAN, "b": DRIFT, "c": BROKEN}))["hosts"]
    assert hosts["a"] == {"status": "clean", "server": "https://10.0.0.1:6443", "checks": 1, "failed": []}
    assert hosts["b"]["failed"] == [{"name": LACKS["name"], "cause": LACKS["cause"]}]
    assert hosts["c"] == {"status": "error", "error": BROKEN["error"]}


def test_reports_have_what_is_wrong_with_the_release() -> None:
    finding = {"code": "end_of_life", "level": "warning", "release": "1.29.1", "message": "It ended.", "fix": "Go on."}
    results = {"a": {**CLEAN, "findings": [finding]}, "b": CLEAN}
    assert json.loads(as_json(results))["hosts"]["a"]["findings"] == [finding]
    assert "- `It ended. Go on.`" in as_markdown(results) or "- It ended. Go on." in as_markdown(results)
    assert sum("It ended. Go on." in line for line in summary(results)) == 1


def test_junit_has_a_case_for_each_assertion_and_host() -> None:
    root = ElementTree.fromstring(as_junit({"a": CLEAN, "b": DRIFT, "c": BROKEN}))
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert cases == [
        ("a", HOLDS["name"]),
        ("b", HOLDS["name"]),
        ("b", LACKS["name"]),
        ("c", "Read what is installed"),
    ]
    assert [failure.get("message") for failure in root.iter("failure")] == [LACKS["cause"]]
    assert [error.get("message") for error in root.iter("error")] == ["It answers <nothing>\ufffd & ends."]


def test_the_page_names_changes_and_the_digest_that_approves_them() -> None:
    page = as_markdown({"prod": PLAN, "c|d": BROKEN})
    assert page.startswith(MARK)
    assert "| prod | drift |" in page
    assert "| `c\\|d` | error |" in page
    assert "- create Service `shop/web`" in page
    assert "mesh_plan_digest: 6fd5aa" in page
    assert "**`It answers <nothing>\\x1b & ends.`**" in page


HOSTILE = [
    "[log in](https://evil.example)",
    "![x](https://evil.example/pixel)",
    "@everyone look",
    "see https://evil.example",
    "see www.evil.example",
    "fixes #1 and GH-2 and shop/web!3",
    "<img src=x onerror=alert(1)>",
    "a `code` b ``two``",
    "a | b |\n| - | - |\n| c | d |",
    "&#64;team",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_shows_what_others_wrote_and_obeys_none_of_it(text: str) -> None:
    failed = {"name": text, "ok": False, "cause": text}
    changed = {**PLAN, "changes": [{**CHANGE, "kind": text, "name": text}]}
    page = as_markdown({text: {**changed, "checks": [failed]}, "b": {"error": {"task": text, "message": text}}})
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    found = {token.type for block in tokens for token in (block, *(block.children or ()))}
    assert not found & {"link_open", "image", "html_inline"}, page
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert all(block.startswith(("<!-- meshops.istio -->", "<details>", "</details>")) for block in blocks)
    prose = [child.content for block in tokens for child in block.children or () if child.type == "text"]
    assert not any(re.search(r"[@#!&<`\u202e]|://|www\.", one) for one in prose), prose
    assert [len(block.children or ()) for block in tokens if block.type == "th_open"] == [0] * 8
    assert sum(token.type == "tr_open" for token in tokens) == 3


@pytest.mark.parametrize("text", ["\x1b]0;owned\x07", "\x1b[2J\x1b[1;31m", "a\nok: [b]\r", "\x9b31m", "\u202eabc"])
def test_a_terminal_is_given_no_controls(text: str) -> None:
    host = f"a{text}"
    result = {**PLAN, "server": text, "changes": [{**CHANGE, "name": text}], "checks": [{**LACKS, "name": text}]}
    for shown in (summary({host: result}), summary({host: result, "b": {"error": {"task": text, "message": text}}})):
        assert all(line.isprintable() for line in shown), shown


def test_a_page_has_room_in_a_comment_whatever_there_is_to_say() -> None:
    many = {f"cluster-{number}": {**PLAN, "changes": [CHANGE] * 500} for number in range(20)}
    page = as_markdown(many)
    assert len(page) < LONGEST + 200
    assert "clusters are omitted" in page.splitlines()[-1]
    assert page.count("| cluster-") == 20


def test_verify_writes_them_where_a_cluster_cannot_be_asked(tmp_path: Path) -> None:
    variables = {
        "mesh_host": "https://127.0.0.1:1",
        "mesh_api_key": "x",
        "mesh_report_json": "out/mesh.json",
        "mesh_report_junit": str(tmp_path / "junit.xml"),
    }
    hosts = {"one": variables, "two": {**variables, "mesh_wait_timeout": "soon"}}
    run = run_playbook("meshops.istio.verify", hosts=hosts, folder=tmp_path, home=tmp_path)
    assert run.returncode == 2
    said = json.loads((tmp_path / "out/mesh.json").read_text(encoding="utf-8"))
    assert said["status"] == "error"
    messages = {host: one["error"]["message"] for host, one in said["hosts"].items()}
    assert messages == run.failures
    assert has_facts(messages["one"], "https://127.0.0.1:1 & cannot be reached")
    assert "mesh_wait_timeout must be a whole number" in messages["two"]
    assert len(list(ElementTree.parse(tmp_path / "junit.xml").iter("error"))) == 2
    head, one, two = run.summary
    assert head == "cluster status istio gateways sidecars changes checks cause"
    assert has_facts(one, "one error & Read and plan the mesh & https://127.0.0.1:1 & cannot be reached")
    assert has_facts(two, "two error & Validate variables & mesh_wait_timeout & whole number")
    # The last message of each host is the cause too.
    assert has_facts(run.last_failures["one"], "Read and plan the mesh & https://127.0.0.1:1 & cannot be reached")


def test_of_several_waves_the_one_that_the_run_ends_with_tells_of_all(tmp_path: Path) -> None:
    gone = {"mesh_host": "https://127.0.0.1:1", "mesh_api_key": "x", "mesh_report_json": str(tmp_path / "mesh.json")}
    hosts = dict.fromkeys(("one", "two", "three"), gone)
    run = run_playbook("meshops.istio.verify", "-e", "mesh_serial=1", hosts=hosts, folder=tmp_path, home=tmp_path)
    assert run.returncode == 2
    assert run.text.count("cluster  status") == 1, run.text
    # Nothing is left of the first wave, so that Ansible goes no further.
    (row,) = run.summary[1:]
    assert has_facts(row, "one error & Read and plan the mesh & cannot be reached")
    assert list(json.loads((tmp_path / "mesh.json").read_text(encoding="utf-8"))["hosts"]) == ["one"]


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    variables = {"mesh_state": "gone", "mesh_report_json": "file/mesh.json"}
    run = run_playbook("meshops.istio.plan", hosts={"one": variables}, folder=tmp_path, home=tmp_path)
    assert "Cannot write the report" in run.text
    assert has_facts(run.text, "Cannot write the report & File exists & another path")


def test_the_results_are_an_artifact_by_host(tmp_path: Path) -> None:
    tasks = [{"name": "Summary", "meshops.istio.summary": {"results": {"one": CLEAN, "two": PLAN}}, "run_once": True}]
    play = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.json").write_text(json.dumps(play), encoding="utf-8")
    run = run_program("ansible-playbook", "play.json", folder=tmp_path, environment={"ANSIBLE_SHOW_CUSTOM_STATS": "1"})
    assert run.returncode == 0, run.text
    _before, _title, shown = run.text.partition("RUN: ")
    artifacts, _end = json.JSONDecoder().raw_decode(shown)
    assert artifacts == {"mesh_result": {"one": CLEAN, "two": PLAN}}
