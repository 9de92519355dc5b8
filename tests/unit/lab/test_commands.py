# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: plain answers on standard output, one sentence for what cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import debian, node
from lab.__main__ import main
from lab.files import write
from lab.paths import Lab, cache_root


def test_only_the_path_is_printed(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    write(lab.kubeconfig, "")
    write(lab.vars_file, "")
    assert main(["--lab", "mine", "kubeconfig"]) == 0
    assert main(["--lab", "mine", "vars"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{lab.kubeconfig}\n{lab.vars_file}\n"
    assert err == ""


@pytest.mark.parametrize("command", ["kubeconfig", "vars", "status", "writes"])
def test_a_lab_that_is_not_up_is_said_in_one_sentence(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lab", "mine", command]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "make lab-up" in err


@pytest.mark.parametrize("name", ["", "UPPER", "-a", "a/b", "..", "a" * 21])
def test_a_name_that_could_do_harm_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not name:
        with pytest.raises(Exception, match="is not a lab's name"):
            Lab(name)
        return
    assert main([f"--lab={name}", "kubeconfig"]) == 1
    assert "is not a lab's name" in capsys.readouterr().err


def test_a_binary_that_the_lab_does_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--binary", "kubelett=/bin/true"]) == 1
    assert "--binary kubelett: the lab's programs are" in capsys.readouterr().err


def test_a_lab_can_have_the_image_of_istios_cni(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(node, "up", lambda lab, named, *, cni, **_: asked.append(cni))
    assert main(["--lab", "mine", "up"]) == 0
    assert main(["--lab", "mine", "up", "--cni"]) == 0
    assert asked == [False, True]


def test_a_lab_can_do_without_what_takes_long_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(node, "up", lambda lab, named, *, basic, **_: asked.append(basic))
    assert main(["--lab", "mine", "up"]) == 0
    assert main(["--lab", "mine", "up", "--basic"]) == 0
    assert asked == [False, True]


def test_without_root_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["up"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "needs root" in err
    assert "make quickstart CLUSTER=existing" in err


def test_elsewhere_than_on_debian_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "missing", lambda: ["containerd", "runc"])
    monkeypatch.setattr(debian, "_debian", lambda: False)
    assert main(["up"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "The lab lacks containerd, runc" in err
    assert "minikube" in err


def test_on_debian_only_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path))
    lacking = [["containerd"], ["containerd"], []]
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "missing", lambda: lacking.pop(0))
    monkeypatch.setattr(debian, "_debian", lambda: True)
    monkeypatch.setattr(debian, "run", lambda argv, **_: commands.append(argv))
    debian.ensure()
    assert commands[0][:2] == ["apt-get", "update"]
    assert commands[1][:2] == ["apt-get", "install"]
    assert commands[1][-1] == "containerd"
    assert len(commands) == 2


def test_what_another_lab_has_installed_meanwhile_is_not_installed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path))
    lacking = [["containerd"], []]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "missing", lambda: lacking.pop(0))
    monkeypatch.setattr(debian, "run", lambda *_, **__: pytest.fail("there is nothing to install"))
    debian.ensure()


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MESHOPS_CACHE", str(tmp_path / "mine"))
    assert cache_root() == tmp_path / "mine" / "lab"
    monkeypatch.delenv("MESHOPS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "meshops-istio" / "lab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_root() == tmp_path / "home" / ".cache" / "meshops-istio" / "lab"
