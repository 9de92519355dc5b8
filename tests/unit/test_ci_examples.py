# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples for CI say what there is, and the sweep removes what is over, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "ci"
AZ = """#!/bin/sh
case "$1 $2" in
"group list") cat "{folder}/groups" ;;
"group delete") echo "$@" >>"{folder}/deleted" ;;
esac
"""


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yml")), ids=lambda path: path.stem)
def test_variables_and_scenarios_of_an_example_are_there(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    given = set(re.findall(r"\b((?:cluster|mesh)_\w+)\W", text)) - {"mesh_"}
    known: set[str] = set()
    for role in ("cluster", "mesh"):
        spec = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        known |= set(spec["argument_specs"]["main"]["options"])
    assert given <= known
    for scenario in re.findall(r"molecule test -s (\S+)", text):
        assert (ROOT / "molecule" / scenario / "molecule.yml").exists()


def sweep(folder: Path, groups: dict[str, str], *arguments: str) -> list[str]:
    """The groups that the sweep removes of `groups` (name: its tag)."""
    (folder / "az").write_text(AZ.format(folder=folder))
    (folder / "az").chmod(0o755)
    (folder / "groups").write_text("".join(f"{name}\t{until}\n" for name, until in groups.items()))
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run([EXAMPLES / "sweep-resource-groups.sh", *arguments], env=environment, check=True)
    deleted = folder / "deleted"
    return re.findall(r"--name (\S+)", deleted.read_text()) if deleted.exists() else []


def test_the_sweep_removes_what_is_over(tmp_path: Path) -> None:
    now = int(time.time())
    groups = {"over": str(now - 60), "needed": str(now + 3600), "strange": "tomorrow"}
    assert sweep(tmp_path, groups, "--dry-run") == []
    assert sweep(tmp_path, groups) == ["over"]
