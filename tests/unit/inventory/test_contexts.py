# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of contexts, as Ansible reads it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible_collections.meshops.istio.plugins.inventory import contexts
from ansible_collections.meshops.istio.plugins.plugin_utils.untrusted import as_data, group_name, host_name
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.playbook import run_program

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    "contexts": [{"name": name, "context": {"cluster": "one", "user": "me"}} for name in ("east", "west", "dev")],
    "users": [{"name": "me", "user": {"token": "very-secret"}}],
}
Read = Callable[..., InventoryManager]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads an inventory file with these options."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(KUBECONFIG))

    def parse(**options: Any) -> InventoryManager:
        file = tmp_path / "meshes.yml"
        file.write_text(
            yaml.safe_dump({"plugin": contexts.InventoryModule.NAME, "kubeconfig": str(kubeconfig), **options})
        )
        return InventoryManager(loader=DataLoader(), sources=[str(file)])

    return parse


def names(inventory: InventoryManager, group: str = "clusters") -> list[str]:
    groups = inventory.get_groups_dict()
    return sorted(groups.get(group, []))


def test_each_context_is_a_host(read: Read) -> None:
    inventory = read()
    assert names(inventory) == ["dev", "east", "west"]
    known = inventory.get_host("east").get_vars()
    assert known["mesh_context"] == "east"
    assert known["mesh_kubeconfig"].endswith("/kubeconfig")
    assert known["mesh_server"] == "https://127.0.0.1:1"
    assert (known["ansible_connection"], known["ansible_python_interpreter"]) == ("local", sys.executable)


def test_the_environment_s_kubeconfig_is_not_kept(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # AWX stores an inventory's variables, and gives each job a file of another name.
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "kubeconfig"))
    inventory = read(kubeconfig=None)
    assert names(inventory) == ["dev", "east", "west"]
    assert "mesh_kubeconfig" not in inventory.get_host("east").get_vars()


def test_no_secret_is_in_the_variables(read: Read) -> None:
    inventory = read()
    assert all("very-secret" not in str(host.get_vars()) for host in inventory.get_hosts())


def test_contexts_are_chosen_by_patterns(read: Read) -> None:
    assert names(read(include=["*st"], exclude=["we*"])) == ["east"]


def test_groups_and_variables_can_be_composed(read: Read) -> None:
    inventory = read(
        groups={"inner": "mesh_context == 'dev'"},
        compose={"mesh_profile": "'demo' if mesh_context == 'dev' else 'default'"},
        keyed_groups=[{"key": "mesh_context[:1]", "prefix": "begins"}],
    )
    assert names(inventory, "inner") == ["dev"]
    assert names(inventory, "begins_e") == ["east"]
    assert inventory.get_host("dev").get_vars()["mesh_profile"] == "demo"


def test_nothing_is_asked_of_clusters_unless_it_is_wanted(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "probe", lambda *_arguments, **_more: pytest.fail("asked"))
    assert "mesh_probe" not in read().get_host("east").get_vars()


def test_clusters_are_in_groups_by_what_they_are(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "east": {"reachable": True, "platform": "aks", "kubernetes": "1.35", "istio": ["1.28.3", "1.29.1"]},
        "west": {"reachable": True, "platform": "other", "kubernetes": "1.34", "istio": []},
        "dev": {"reachable": False, "message": "The cluster does not answer."},
    }
    monkeypatch.setattr(contexts, "probe", lambda _path, name, *, timeout: told[name])
    inventory = read(probe=True)
    assert names(inventory, "platform_aks") == names(inventory, "kubernetes_1_35") == ["east"]
    assert names(inventory, "istio_1_28") == names(inventory, "istio_1_29") == ["east"]
    assert names(inventory, "no_mesh") == ["west"]
    assert names(inventory, "unreachable") == ["dev"]


def test_a_cluster_that_does_not_answer_is_a_host_all_the_same(read: Read) -> None:
    inventory = read(probe=True, include=["dev"])
    told = inventory.get_host("dev").get_vars()["mesh_probe"]
    assert not told["reachable"]
    assert has_facts(told["message"], "https://127.0.0.1:1 & cannot be reached")


def test_a_missing_kubeconfig_is_an_error(read: Read, capsys: pytest.CaptureFixture[str]) -> None:
    assert names(read(kubeconfig="/nowhere/kubeconfig")) == []
    assert has_facts(capsys.readouterr().err, "kubeconfig /nowhere/kubeconfig & not found")


HOSTILE = "{{ lookup('ansible.builtin.pipe', 'touch pwned') }}"


def test_what_a_kubeconfig_or_cluster_says_is_data(tmp_path: Path) -> None:
    # With an ansible-core before 2.19 each of these was evaluated on the controller.
    content = {
        **KUBECONFIG,
        "clusters": [{"name": "one", "cluster": {"server": f"https://127.0.0.1:1/{HOSTILE}"}}],
        "contexts": [{"name": HOSTILE, "context": {"cluster": "one", "user": "me"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(content))
    inventory = {
        "plugin": contexts.InventoryModule.NAME,
        "kubeconfig": str(tmp_path / "kubeconfig"),
        "probe": True,
        "compose": {"copied": "'at ' ~ mesh_server"},
        "keyed_groups": [{"key": "mesh_server", "prefix": "server"}],
    }
    (tmp_path / "meshes.yml").write_text(yaml.safe_dump(inventory))
    shown = ("mesh_context", "mesh_server", "mesh_probe", "copied", "inventory_hostname", "group_names", "groups")
    tasks: list[dict[str, Any]] = [{"ansible.builtin.debug": {"var": name}} for name in shown]
    tasks.append({"ansible.builtin.set_fact": {"joined": "{{ mesh_context }} {{ mesh_probe.message }}"}})
    tasks.append({"ansible.builtin.debug": {"var": "joined"}})
    play = [{"hosts": "clusters", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    run = run_program("ansible-playbook", "-i", "meshes.yml", "play.yml", folder=tmp_path, home=tmp_path)
    assert run.returncode == 0, run.text
    assert run.text.count("pwned") > 5, "the names are shown as they are"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "name", ["arn:aws:eks:eu-west-1:123:cluster/one", "gke_project_zone_one", "shop/api-one:6443/kube:admin", "a.b@c"]
)
def test_the_names_that_clouds_give_are_the_hosts_names(name: str) -> None:
    assert host_name(name) == name


def test_names_that_mean_something_to_ansible_or_a_terminal_are_made_plain() -> None:
    assert host_name("a{{ b }}") == "a___b___"
    assert host_name("a\x1b[31m\nb,c\u202ed") == "a__31m_b_c_d"
    assert group_name("platform_{{ x }}") == "platform____x___"


def test_two_contexts_whose_plain_names_are_the_same_are_two_hosts() -> None:
    assert host_name("a b", {"a_b"}) == "a_b_2"


def test_an_older_ansible_core_is_told_what_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    marked: list[Any] = []
    monkeypatch.setattr("ansible.release.__version__", "2.18.6")
    monkeypatch.setattr("ansible.utils.unsafe_proxy.wrap_var", marked.append)
    as_data({"mesh_context": HOSTILE})
    assert marked == [{"mesh_context": HOSTILE}]
