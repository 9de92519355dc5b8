# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports between the rooms of plugins/ go down, and the picture in CONTRIBUTING.md shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tools import rooms

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {
    "plugins": ({"modules": "modules"}, {"module_utils": ""}),
    "plugins/module_utils": ({"istio": "Istio"}, {"kube": ""}),
    "plugins/module_utils/kube": ({"apply": "writes"}, {"plan": "compares"}),
}
"""The rooms of an invented collection."""

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of the invented collection, which has one in each room and only imports that go down."""

    def written(**files: str) -> None:
        for name, text in files.items():
            file = tmp_path / "plugins" / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    written(
        modules__gateway=f"from {rooms.PACKAGE}plugins.module_utils.istio.mesh import install\n",
        module_utils__istio__mesh="from ..kube.apply.write import write\n",
        module_utils__kube__apply__write="from ..plan.compare import compare\n",
        module_utils__kube__plan__compare="",
    )
    return written


def test_every_folder_is_a_room_and_every_import_goes_down() -> None:
    assert (rooms.unlisted(), rooms.upward()) == ([], [])


def test_the_picture_shows_the_imports() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert page == rooms.rewritten(page), "run make docs"


def test_what_runs_without_ansible_does_not_import_it() -> None:
    utils = ROOT / "plugins/module_utils"
    assert [
        f"{source.relative_to(ROOT)} imports {name}"
        for room in ("download", "istio", "kube", "minikube")
        for source in (utils / room).rglob("*.py")
        for name in rooms.imported_names(source)
        if name.split(".")[0] == "ansible"
    ] == []


def test_plugins_import_nothing_that_is_not_published_with_them() -> None:
    assert [
        f"{source.relative_to(ROOT)} imports {name}"
        for source in rooms.sources()
        for name in rooms.imported_names(source)
        if name.removeprefix(rooms.PACKAGE).split(".")[0] in ("lab", "tests", "tools")
    ] == []


def test_imports_that_go_down_are_accepted(write: Write, tmp_path: Path) -> None:
    assert (rooms.unlisted(tmp_path, LEVELS), rooms.upward(tmp_path, LEVELS)) == ([], [])


@pytest.mark.parametrize(
    "text",
    [
        "from ..apply.write import write",
        "from ..apply import write",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..apply.write import Writer",
        "def compare():\n    from ..apply import write",
        f"from {rooms.PACKAGE}plugins.module_utils.kube.apply.write import write",
        f"import {rooms.PACKAGE}plugins.module_utils.kube.apply.write",
    ],
)
def test_an_import_of_an_inner_room_that_goes_up_is_named(write: Write, tmp_path: Path, text: str) -> None:
    write(module_utils__kube__plan__compare=text)
    assert rooms.upward(tmp_path, LEVELS) == [
        "plugins/module_utils/kube/plan/compare.py imports plugins/module_utils/kube/apply/write.py: "
        "plugins/module_utils/kube: plan -> apply"
    ]


def test_an_import_from_an_inner_room_to_an_outer_one_is_named(write: Write, tmp_path: Path) -> None:
    write(module_utils__kube__plan__compare="from ...istio.mesh import install")
    assert [line.rpartition(": ")[2] for line in rooms.upward(tmp_path, LEVELS)] == ["kube -> istio"]


def test_rooms_of_one_level_do_not_import_each_other(write: Write, tmp_path: Path) -> None:
    levels = {**LEVELS, "plugins/module_utils/kube": ({"apply": "writes", "plan": "compares"},)}
    assert [line.rpartition(": ")[2] for line in rooms.upward(tmp_path, levels)] == ["apply -> plan"]


def test_a_new_folder_has_to_be_listed(write: Write, tmp_path: Path) -> None:
    write(module_utils__kube__watch__watch="", module_utils__helpers="")
    assert rooms.unlisted(tmp_path, LEVELS) == ["plugins/module_utils", "plugins/module_utils/kube/watch"]


def test_a_folder_that_is_gone_is_listed_no_more(write: Write, tmp_path: Path) -> None:
    (tmp_path / "plugins/module_utils/kube/plan/compare.py").unlink()
    assert rooms.unlisted(tmp_path, LEVELS) == ["plugins/module_utils/kube/plan"]


def test_an_arrow_is_drawn_between_the_rooms_that_it_leaves_and_enters(write: Write, tmp_path: Path) -> None:
    assert arrows(tmp_path) == {
        ("modules", "module_utils"),
        ("module_utils_istio", "module_utils_kube"),
        ("module_utils_kube_apply", "module_utils_kube_plan"),
    }


def test_a_new_import_changes_the_picture_unless_it_follows_from_others(write: Write, tmp_path: Path) -> None:
    before = arrows(tmp_path)
    write(modules__route=f"from {rooms.PACKAGE}plugins.module_utils.kube.plan.compare import compare")
    assert arrows(tmp_path) == before
    write(module_utils__istio__mesh="")
    assert arrows(tmp_path) == before - {("module_utils_istio", "module_utils_kube")}


def arrows(root: Path) -> set[tuple[str, str]]:
    """The arrows of the picture of a collection."""
    lines = rooms.picture(root, LEVELS).splitlines()
    return {(words[0], words[2]) for words in map(str.split, lines) if words[1:2] == ["-->"]}
