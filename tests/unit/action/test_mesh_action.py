# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What action plugins make of a task before its module runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.meshops.istio.plugins.module_utils.progress_file import PROGRESS_FILE
from ansible_collections.meshops.istio.plugins.plugin_utils import mesh_action
from ansible_collections.meshops.istio.tests.support.messages import has_facts

Act = Callable[..., dict[str, Any]]

PASSWORD = [("default", VaultSecret(b"swordfish"))]


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Run a task's action plugin; returns what its module would be given: `args` and `environment`, or a failure.

    The playbook lies in tmp_path. `given` may name the task's `transport`, `async_val` and `no_log`, and a `result`.
    """

    def run(module: str, given: dict[str, Any] | None = None, /, **options: Any) -> dict[str, Any]:
        monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "cache"))
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        loader.set_vault_secrets(PASSWORD)
        task: dict[str, Any] = {
            "async_val": 0,
            "no_log": False,
            "check_mode": False,
            "environment": None,
            **(given or {}),
        }
        double = SimpleNamespace(args=options, get_search_path=lambda: [str(tmp_path)], **task)
        connection = SimpleNamespace(transport=task.get("transport", "local"))

        def played(self: Any, _tmp: Any, _task_vars: Any) -> dict[str, Any]:
            returned = task.get("result", {})
            return {"args": self._task.args, "environment": self._task.environment, **returned}

        monkeypatch.setattr(NormalAction, "run", played)
        plugin = importlib.import_module(f"ansible_collections.meshops.istio.plugins.action.{module}")
        result: dict[str, Any] = plugin.ActionModule(double, connection, None, loader, None, None).run(task_vars={})
        assert double.environment == task["environment"]
        return result

    return run


def put(path: Path, text: str = "kind: ConfigMap\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- paths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["mesh.yaml", "files/mesh.yaml"])
def test_files_are_found_beside_the_playbook(place: str, act: Act, tmp_path: Path) -> None:
    path = put(tmp_path / place)
    assert act("control_plane", overlays=["mesh.yaml"])["args"]["overlays"] == [path]


def test_files_are_found_in_the_current_folder_too(act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "here/mesh.yaml")
    monkeypatch.chdir(tmp_path / "here")
    assert act("control_plane", overlays=["mesh.yaml"])["args"]["overlays"] == [path]


def test_one_entry_needs_no_list(act: Act, tmp_path: Path) -> None:
    path = put(tmp_path / "mesh.yaml")
    assert act("control_plane", overlays="mesh.yaml")["args"]["overlays"] == [path]
    inline = {"kind": "IstioOperator"}
    assert act("control_plane", overlays=inline)["args"]["overlays"] == [inline]


def test_a_folder_stands_for_its_manifests(act: Act, tmp_path: Path) -> None:
    paths = [put(tmp_path / "files/shop" / name) for name in ("a.yaml", "b.yml")]
    put(tmp_path / "files/shop/README.md")
    assert act("application", name="shop", src=["shop"])["args"]["src"] == paths


def test_a_plan_finds_the_files_of_the_role_that_applies_it(act: Act, tmp_path: Path) -> None:
    ours = put(tmp_path / "roles/applications/files/shop/a.yaml")
    put(tmp_path / "files/shop/a.yaml")
    theirs = put(tmp_path / "files/bank/b.yaml")
    role = {"_role": SimpleNamespace(_role_path=str(tmp_path / "roles/mesh")), "tags": []}
    for found, name in ((ours, "shop"), (theirs, "bank")):
        result = act("mesh", role, parts=[], applications=[{"name": name, "src": [name]}])
        assert result["args"]["applications"] == [{"name": name, "src": [found]}]


def test_urls_and_what_was_read_already_stay_as_they_are(act: Act) -> None:
    entries = ["https://example.com/shop.yaml", {"source": "shop.yaml", "text": "kind: ConfigMap"}]
    assert act("application", name="shop", src=entries)["args"]["src"] == entries


def test_a_source_is_found_too_and_left_alone_otherwise(act: Act, tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    folder.mkdir()
    given = ["releases", "https://example.com", "nowhere"]
    assert act("release", source=given)["args"]["source"] == [str(folder), *given[1:]]


def test_what_is_not_found_is_named(act: Act) -> None:
    result = act("application", name="shop", src=["none.yaml"])
    assert (result["failed"], result["code"]) == (True, "invalid_input")
    assert has_facts(result["msg"], "'none.yaml' & src & not found & folder 'files'")


def test_a_folder_without_manifests_is_named(act: Act, tmp_path: Path) -> None:
    put(tmp_path / "shop/README.md")
    assert has_facts(act("application", name="shop", src=["shop"])["msg"], "manifests & not found & /shop")


def test_options_that_are_no_lists_are_left_to_the_module(act: Act) -> None:
    assert act("application", name="shop", src=7)["args"]["src"] == 7


# --- kubeconfigs ---------------------------------------------------------------------------------------------------


def test_a_kubeconfig_is_found_beside_the_playbook(act: Act, tmp_path: Path) -> None:
    path = put(tmp_path / "files/kubeconfig")
    assert act("ingress_info", kubeconfig="kubeconfig")["args"]["kubeconfig"] == path
    assert act("ingress_info", kubeconfig="kubeconfig:/etc/other")["args"]["kubeconfig"] == f"{path}:/etc/other"


@pytest.mark.parametrize("content", [{"kind": "Config"}, "kind: Config\nusers: []\n", '{"kind": "Config"}', None])
def test_a_kubeconfigs_content_stays_as_it_is(content: Any, act: Act) -> None:
    assert act("ingress_info", kubeconfig=content)["args"]["kubeconfig"] == content


def test_on_another_machine_its_path_is_that_machines(act: Act, tmp_path: Path) -> None:
    put(tmp_path / "kubeconfig")
    given = act("ingress_info", {"transport": "ssh"}, kubeconfig="kubeconfig")
    assert given["args"]["kubeconfig"] == "kubeconfig"


# --- texts instead of paths ----------------------------------------------------------------------------------------


def test_another_machine_is_given_the_text(act: Act, tmp_path: Path) -> None:
    path = put(tmp_path / "mesh.yaml", "kind: IstioOperator\n")
    given = act("control_plane", {"transport": "ssh"}, overlays=["mesh.yaml"], source=["releases"])
    assert given["args"] == {"overlays": [{"source": path, "text": "kind: IstioOperator\n"}], "source": ["releases"]}


def test_a_file_in_a_vault_is_given_as_its_text(act: Act, tmp_path: Path) -> None:
    vault = VaultLib(PASSWORD)
    secret = tmp_path / "secret.yaml"
    secret.write_bytes(vault.encrypt("kind: Secret\n", PASSWORD[0][1]))
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(vault.encrypt("kind: Config\n", PASSWORD[0][1]))
    given = act("application", name="shop", src=["secret.yaml"], kubeconfig="kubeconfig")
    assert given["args"]["src"] == [{"source": str(secret), "text": "kind: Secret\n"}]
    assert given["args"]["kubeconfig"] == "kind: Config\n"


# --- progress ------------------------------------------------------------------------------------------------------


def test_the_module_is_told_where_its_progress_is_read(act: Act) -> None:
    environment = act("control_plane", {"environment": [{"LANG": "C"}]})["environment"]
    assert environment[0] == {"LANG": "C"}
    assert PROGRESS_FILE in environment[1]


@pytest.mark.parametrize("given", [{"transport": "ssh"}, {"async_val": 60}, {"no_log": True}])
def test_where_it_cannot_or_must_not_be_shown_there_is_none(given: dict[str, Any], act: Act) -> None:
    assert act("control_plane", given)["environment"] is None


# --- what it took --------------------------------------------------------------------------------------------------


def test_requests_and_timing_are_shown_instead_of_returned(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(mesh_action.display, "v", shown.append)
    phases = [
        {"phase": "prepare", "seconds": 0.041, "requests": {}},
        {"phase": "write", "seconds": 1.5, "requests": {"PATCH": 30, "POST": 1}},
    ]
    assert "phases" not in act("control_plane", {"result": {"phases": phases}})
    act("control_plane")
    act("ingress_info", {"result": {"phases": [{"phase": "prepare", "seconds": 0.2, "requests": {"GET": 3}}]}})
    assert shown == ["  [] prepare 0.04 s (no request); write 1.50 s (30 PATCH, 1 POST)", "  [] 0.20 s (3 GET)"]


@pytest.mark.parametrize(
    ("check_mode", "facts"),
    [
        (False, "changed & 4 created & 1 updated & Pod shop/p0 & 2 more"),
        (True, "plan & 4 to create & 1 to update & 0 to delete & Pod shop/p0 & 2 more"),
    ],
)
def test_changes_are_shown_in_one_line(check_mode: bool, facts: str, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(mesh_action, "show", shown.append)
    changes = [{"action": "create", "kind": "Pod", "namespace": "shop", "name": f"p{i}"} for i in range(4)]
    changes.append({"action": "update", "kind": "Namespace", "namespace": "", "name": "a\nb"})
    act("application", {"check_mode": check_mode, "result": {"changes": changes}})
    act("application", {"check_mode": check_mode, "result": {"changes": []}})
    act("application", {"no_log": True, "result": {"changes": changes}})
    assert len(shown) == 1
    assert "\n" not in shown[0]
    assert has_facts(shown[0], facts)
