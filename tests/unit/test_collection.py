# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for the collection as a whole: its metadata, its licence headers, and the pages that tools write."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.doc_fragments import auth
from ansible_collections.meshops.istio.tools import argspec_table, default_version
from ansible_collections.meshops.istio.tools.publish import sanity_ignores
from ansible_collections.meshops.istio.tools.rooms import imported_names

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "ansible_collections.meshops.istio."
MODULES = sorted(path for path in (ROOT / "plugins/modules").glob("*.py") if path.name != "__init__.py")
OURS = ("lab", "plugins", "tests", "tools")
HEADER = [
    "# Copyright (c) 2026 The meshops.istio authors",
    "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
]


def read_yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def documentation(module: Path) -> dict[str, Any]:
    """A module's DOCUMENTATION, read without importing it."""
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(statement.value)))
    pytest.fail(f"{module.name} has no DOCUMENTATION")


def test_installing_the_collection_brings_no_other() -> None:
    assert read_yaml("galaxy.yml").get("dependencies", {}) == {}


def test_the_action_group_lists_every_module_with_connection_options() -> None:
    connecting = {
        module.stem
        for module in MODULES
        if "meshops.istio.auth" in documentation(module).get("extends_documentation_fragment", ())
    }
    assert sorted(connecting) == read_yaml("meta/runtime.yml")["action_groups"]["all"]


def test_the_documentation_of_a_module_names_its_action_group() -> None:
    assert read_yaml("meta/runtime.yml")["action_groups"].keys() == {"all"}
    attributes = yaml.safe_load(auth.ModuleDocFragment.DOCUMENTATION)["attributes"]
    assert attributes["action_group"]["membership"] == ["meshops.istio.all"]


def test_every_action_plugin_stands_before_a_module_of_its_name() -> None:
    actions = {path.stem for path in (ROOT / "plugins/action").glob("*.py")} - {"__init__"}
    assert actions <= {module.stem for module in MODULES}


@pytest.mark.parametrize("folder", OURS)
def test_every_python_file_says_its_licence(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*.py") if path.read_text(encoding="utf-8").strip()]
    without = []
    for path in sources:
        lines = path.read_text(encoding="utf-8").splitlines()
        start = 1 if lines[0].startswith("#!") else 0
        if lines[start : start + len(HEADER)] != HEADER:
            without.append(str(path.relative_to(ROOT)))
    assert without == []


def test_roles_have_the_options_that_the_documentation_of_their_modules_has() -> None:
    in_step("tools/role_options.py")


def test_the_pages_of_variables_say_what_the_argument_specs_say() -> None:
    in_step("tools/argspec_table.py")


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_the_example_of_a_role_names_its_variables(role: str) -> None:
    (play,) = yaml.safe_load("\n".join(argspec_table.example(role)))
    options = read_yaml(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    given = set(play["roles"][0]["vars"])
    assert {name for name, option in options.items() if option.get("required")} <= given <= set(options)


def test_the_page_of_permissions_says_what_the_cluster_roles_say() -> None:
    in_step("tools/permissions_page.py")


def test_the_page_of_releases_says_what_the_data_says() -> None:
    in_step("tools/releases_page.py")


@pytest.mark.parametrize(
    "path", ["README.md", "awx/project/inventories/group_vars/clusters.yml", "execution-environment.yml"]
)
def test_examples_have_the_default_version(path: str) -> None:
    default = default_version.default_version(ROOT)
    assert default in (ROOT / path).read_text(encoding="utf-8")
    assert list(default_version.changes(ROOT)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mesh_version: 1.29.1", "mesh_version: 1.31.4"),
        ("tag V(1.29.1-distroless), revision 1-29-1.", "tag V(1.31.4-distroless), revision 1-31-4."),
        ("istio-1.29.1/ and istio-1.29.1-linux-amd64", "istio-1.31.4/ and istio-1.31.4-linux-amd64"),
        ("1.29.10, 11.29.1 and 1.29.1.2 are others", "1.29.10, 11.29.1 and 1.29.1.2 are others"),
    ],
)
def test_another_default_version_is_written_into_examples(text: str, expected: str) -> None:
    assert default_version.replaced(text, "1.29.1", "1.31.4") == expected


def test_the_surveys_say_what_the_argument_specs_say() -> None:
    in_step("tools/awx_surveys.py")


def in_step(tool: str) -> None:
    done = subprocess.run([sys.executable, tool, "--check"], cwd=ROOT, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_requirement_has_a_tested_version() -> None:
    def names(path: Path) -> set[str]:
        lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
        loose = [line for line in lines if line and line[0] != "-" and "==" not in line]
        return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in loose}

    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {path.name: names(path) - pinned for path in ROOT.glob("requirements*.txt") if names(path) - pinned} == {}


def test_every_library_that_plugins_import_is_required() -> None:
    distributions = {"yaml": "pyyaml", "websocket": "websocket-client"}
    # Azure's are for one provider only, in a file of their own.
    left_out = {*sys.stdlib_module_names, "ansible", "ansible_collections", "azure"}
    imported = {
        name.partition(".")[0]
        for source in (ROOT / "plugins").rglob("*.py")
        for name in imported_names(source)
        if not name.startswith(NAMESPACE)
    }
    assert {distributions.get(name, name) for name in imported - left_out} == set(requirements("requirements.txt"))


def test_the_lowest_versions_are_those_that_the_requirements_name() -> None:
    def numbers(version: str) -> tuple[int, ...]:
        return tuple(int(number) for number in version.split(".") if number != "0")

    lowest = requirements("constraints-lowest.txt")
    core = read_yaml("meta/runtime.yml")["requires_ansible"].removeprefix(">=")
    required = {**requirements("requirements.txt"), "ansible-core": core}
    assert {name: numbers(version) for name, version in lowest.items()} == {
        name: numbers(version) for name, version in required.items()
    }


def requirements(file: str) -> dict[str, str]:
    """The packages of a file and the versions that it names, by `>=` or `==`."""
    found = re.findall(r"^([\w.-]+)[>=]=([\d.]+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower(): version for name, version in found}


def test_certification_permits_the_ignores_of_sanity_tests() -> None:
    assert sanity_ignores.forbidden(ROOT / "tests/sanity") == []


def test_an_ignore_that_certification_does_not_permit_is_found(tmp_path: Path) -> None:
    (tmp_path / "ignore-2.19.txt").write_text("tools/a shebang # why\nroles/b.yaml yamllint:x # why\n\nplugins/c.py\n")
    assert sanity_ignores.forbidden(tmp_path) == [
        "ignore-2.19.txt:2: roles/b.yaml yamllint:x",
        "ignore-2.19.txt:4: plugins/c.py",
    ]


def test_the_permitted_ignores_are_among_those_of_ansible_lint() -> None:
    permitted = pytest.importorskip("ansiblelint.rules.sanity").CheckSanityIgnoreFiles.allowed_ignores
    assert set(permitted) >= sanity_ignores.PERMITTED


def test_one_function_shows_texts_beside_the_callback() -> None:
    # Where the callback plugin writes JSON, it has standard output to itself.
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py")}
    assert [path.name for path, text in texts.items() if ".display(" in text or "sys.stdout" in text] == ["console.py"]


def test_packages_of_plugins_are_empty() -> None:
    # ansible-test of ansible-core 2.17 wants it so, which `make sanity` does not ask.
    assert [str(path) for path in (ROOT / "plugins").rglob("__init__.py") if path.stat().st_size] == []
