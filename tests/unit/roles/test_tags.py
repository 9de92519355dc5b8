# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`ansible-playbook --list-tags` lists the tags that the guide documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.meshops.istio.tests.support.playbook import run_playbook

GUIDE = Path(__file__).parents[3] / "docs/docsite/rst/guide_run_options.rst"


def documented() -> set[str]:
    """The tags in the sentence `... have the tags ``gateway_api``, ... and ``applications``.`"""
    sentence = re.search(r"have the tags (.*?)\.", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return set(re.findall(r"``(\w+)``", sentence[1])) if sentence else set()


@pytest.mark.parametrize("playbook", ["site", "plan", "uninstall"])
def test_documented_tags_are_listed(playbook: str, tmp_path: Path) -> None:
    run = run_playbook(f"meshops.istio.{playbook}", "--list-tags", hosts={"one": {}}, folder=tmp_path, home=tmp_path)
    assert run.returncode == 0, run.text
    listed = set(re.findall(r"\w+", "".join(re.findall(r"TASK TAGS: \[(.*)\]", run.text))))
    # The Gateway API CRDs stay, because other programs may use them.
    assert listed - {"always", "never"} == documented() - ({"gateway_api"} if playbook == "uninstall" else set())


def test_a_removal_without_injection_still_checks_who_uses_the_control_plane(tmp_path: Path) -> None:
    options = ("--list-tasks", "--skip-tags", "injection")
    run = run_playbook("meshops.istio.uninstall", *options, hosts={"one": {}}, folder=tmp_path, home=tmp_path)
    assert "Check that nothing still uses the control plane" in run.text
