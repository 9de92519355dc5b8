# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guides start with a command, their links lead somewhere, and the variables that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
READMES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("roles/*/README.md"))]
READMES += sorted((ROOT / "examples").rglob("README.md"))
READMES += [ROOT / "lab/README.md", ROOT / "playbooks/labs/README.md", ROOT / "docs/ci/README.md"]
SCREEN = 25
"""Lines above the first command, file or output of a page."""


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("page", named([*GUIDES, *READMES]))
def test_a_page_starts_with_a_command(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()[:SCREEN]
    assert any(re.match(r"\s*\.\. code-block::|\s*```|    \$? ?\w", line) for line in lines)


@pytest.mark.parametrize("page", named(GUIDES))
def test_a_word_is_no_link_by_accident(page: Path) -> None:
    prose = re.sub(r"``.+?``|`[^`]+`_*|^\.\. _.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.findall(r"\b\w+_(?=[\s.,;:)]|$)", prose) == []


@pytest.mark.parametrize("page", named(READMES))
def test_a_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", named(GUIDES))
def test_a_reference_leads_to_a_page_or_a_module(page: Path) -> None:
    prefix = r"ansible_collections\.meshops\.istio\."
    text = " ".join(page.read_text(encoding="utf-8").split())
    labels = {label for guide in GUIDES for label in re.findall(rf"_{prefix}([\w.]+):", guide.read_text("utf-8"))}
    labels |= {f"{module.stem}_module" for module in (ROOT / "plugins/modules").glob("*.py")}
    assert set(re.findall(rf"<{prefix}([\w.]+)>", text)) - labels == set()


@pytest.mark.parametrize("page", named([*GUIDES, *READMES]))
def test_the_variables_of_a_page_exist(page: Path) -> None:
    known: set[str] = set()
    for spec in ROOT.glob("roles/*/meta/argument_specs.yml"):
        known |= set(yaml.safe_load(spec.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"])
    # Of the plays themselves, facts, of AWX, and the label of a page.
    known |= {
        "mesh_module",
        "mesh_result",
        "mesh_target_hosts",
        "mesh_serial",
        "mesh_max_fail_percentage",
        "mesh_dashboard",
    }
    names = set(re.findall(r"\bmesh_[a-z_]*[a-z]\b(?!\*|_\*)", page.read_text(encoding="utf-8")))
    prefixes = {name for name in names if any(one.startswith(f"{name}_") for one in known)}
    assert {name for name in names - known - prefixes if not name.startswith("mesh_awx_")} == set()


def test_the_site_has_every_page() -> None:
    listed = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(name for section in listed for name in section["toctree"]) == [guide.stem for guide in GUIDES]


def test_the_page_of_playbooks_has_each_of_them() -> None:
    page = (ROOT / "docs/docsite/rst/reference_playbooks.rst").read_text(encoding="utf-8")
    names = [path.stem for path in (ROOT / "playbooks").glob("*.yml")]
    names += [f"labs.{path.stem}" for path in (ROOT / "playbooks/labs").glob("*.yml")]
    assert [name for name in names if f"``{name}``" not in page] == []


def test_the_options_for_fields_of_istio_exist() -> None:
    page = (ROOT / "docs/docsite/rst/reference_fields.rst").read_text(encoding="utf-8")
    known: set[str] = set()
    for module in (ROOT / "plugins/modules").glob("*.py"):
        known |= set(re.findall(r"^ +(\w+):$", module.read_text(encoding="utf-8"), re.MULTILINE))
    known |= set(
        yaml.safe_load((ROOT / "roles/mesh/meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"][
            "options"
        ]
    )
    options = [
        option
        for line in page.splitlines()
        if line.startswith("     - ``")
        for option in re.findall(r"``([\w.\[\]]+)``", line)
    ]
    assert len(options) > 100
    parts = {part.removesuffix("[]") for option in options for part in option.split(".")}
    values = {
        "simple",
        "mutual",
        "optional_mutual",
        "passthrough",
        "strict",
        "permissive",
        "disable",
        "external",
        "internal",
    }
    assert parts - known - values - {"meshops", "istio", "plan"} == set()
