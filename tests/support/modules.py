# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules as Ansible does, but in this process."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible_collections.meshops.istio.tests.support import documentation

Run = Callable[..., dict[str, Any]]
KNOWS_CONTROLLERS = importlib.util.find_spec("ansible.module_utils._internal") is not None  # since ansible-core 2.19


@pytest.fixture
def run_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a module by its name; returns its result, which is checked against its documentation."""

    def run(
        name: str, /, *, check: bool = False, diff: bool = False, verbosity: int = 0, **options: Any
    ) -> dict[str, Any]:
        internal = {
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_verbosity": verbosity,
            "_ansible_remote_tmp": str(tmp_path),
        }
        monkeypatch.setattr(
            basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **internal}}).encode()
        )
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        for kept in ("_global_warnings", "_global_deprecations"):
            if hasattr(warnings, kept):
                getattr(warnings, kept).clear()
        if (
            KNOWS_CONTROLLERS
        ):  # where another test's imports have made this a controller, warnings would not be returned
            monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
        with pytest.raises(SystemExit):
            documentation.module(name).main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        wrong = documentation.contradictions(name, result)
        assert not wrong, (wrong, result.get("msg"))
        # Text before ansible-core 2.19, since then an event that has one.
        texts = [one if isinstance(one, str) else one["event"]["msg"] for one in result.get("warnings", ())]
        return {**result, "warnings": texts}

    return run
