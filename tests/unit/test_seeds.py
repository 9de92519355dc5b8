# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests of the five labs leave out nothing that the documents do; they themselves take a lab, and long."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.meshops.istio.tests.integration.labs.checklist import CHECKLIST, Row, missing

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"


def rows() -> Iterator[Row]:
    """What the tests say which step they are of."""
    for path in (*INTEGRATION.glob("labs/test_*.py"), *INTEGRATION.glob("traffic/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.step":
                number, text = map(ast.literal_eval, node.args)
                yield number, text


def test_each_part_of_each_step_has_its_row_in_the_table() -> None:
    assert missing(rows()) == []


def test_the_rows_are_of_known_steps() -> None:
    numbers = {number for number, _text in rows() if "." in number}
    assert numbers == CHECKLIST.keys()
