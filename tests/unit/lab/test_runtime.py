# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operating system's containerd serves unless it is too old."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import debian, runtime, sources
from lab.components import Components
from lab.errors import LabError
from lab.network import Network
from lab.paths import Lab

BUILT = ("containerd", "ctr", runtime.SHIM)


@pytest.fixture(autouse=True)
def builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_CONTAINERD", raising=False)
    monkeypatch.setattr(sources, "find", lambda names, **_: {name: Path("/built") / name for name in names})


def of_the_system(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(debian, "program", lambda name: Path("/usr/bin") / name)
    monkeypatch.setattr(runtime, "run", lambda argv: f"containerd github.com/containerd/containerd {version} abc\n")


@pytest.mark.parametrize(
    ("version", "built"), [("1.4.13~ds1", True), ("1.6.20~ds1", False), ("v1.7.27", False), ("v2.1.4", False)]
)
def test_a_containerd_that_is_too_old_is_replaced(
    version: str, built: bool, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_system(monkeypatch, version)
    found = runtime.programs(lab, {})
    assert set(found) == set(BUILT if built else BUILT[:2])
    assert found["containerd"] == (Path("/built/containerd") if built else Path("/usr/bin/containerd"))


def test_the_user_decides_and_a_lab_keeps_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_system(monkeypatch, "1.6.20~ds1")
    monkeypatch.setenv("LAB_CONTAINERD", "build")
    assert set(runtime.programs(lab, {})) == set(BUILT)
    monkeypatch.delenv("LAB_CONTAINERD")
    assert set(runtime.programs(lab, {})) == set(BUILT)
    monkeypatch.setenv("LAB_CONTAINERD", "docker")
    with pytest.raises(LabError, match="LAB_CONTAINERD=docker is not known"):
        runtime.programs(Lab("other"), {})


@pytest.mark.parametrize("built", [True, False])
def test_a_built_containerd_runs_its_own_shim(built: bool, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_system(monkeypatch, "1.4.13" if built else "1.7.27")
    components = Components(lab, Network(IPv4Network("10.250.0.0/24")), runtime.programs(lab, {}))
    components.containerd(pulls=False)
    configuration = (lab.state / "containerd.toml").read_text()
    assert (f'runtime_path = "/built/{runtime.SHIM}"' in configuration) == built
