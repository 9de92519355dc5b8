# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions a lab has: those that are asked for, else its own, else the default."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import handover, release, selection, versions
from lab.__main__ import main
from lab.errors import LabError
from lab.files import write
from lab.parts import Parts
from lab.paths import SOURCES, Lab
from lab.selection import Selection, select


def test_a_release_comes_with_its_kubernetes() -> None:
    assert select() == Selection((versions.ISTIO,), versions.KUBERNETES)
    assert select("1.28.3,1.30.4") == Selection(("1.28.3", "1.30.4"), "1.34.4")
    assert select(" 1.31.0 ", "1.36.3") == Selection(("1.31.0",), "1.36.3")
    assert select("1.30.4,1.30.4").istio == ("1.30.4",)


def test_every_release_runs_on_a_kubernetes_that_the_lab_has() -> None:
    assert {release.kubernetes for release in versions.ISTIO_RELEASES.values()} <= set(versions.KUBERNETES_VERSIONS)
    assert select("", versions.KUBERNETES_VERSIONS[-1]).binaries["kubelet"].version == versions.KUBERNETES_VERSIONS[-1]


@pytest.mark.parametrize(
    ("variables", "facts"),
    [
        ({"ISTIO": "1.30.4,1.27.0"}, ("ISTIO=1.27.0", "1.28.3, 1.29.1")),
        ({"KUBERNETES": "1.35"}, ("KUBERNETES=1.35", "1.34.4, 1.35.4")),
    ],
)
def test_an_unknown_version_is_refused_in_one_sentence(
    variables: dict[str, str],
    facts: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for command in ("up", "build"):
        assert main(["--lab", "mine", command]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert all(fact in said for fact in facts)


def test_a_repair_keeps_the_versions(lab: Lab) -> None:
    assert selection.saved(lab) is None
    chosen = select("1.30.4", "1.36.3")
    selection.save(lab, chosen)
    assert select(existing=selection.saved(lab)) == chosen
    assert select("1.31.0", existing=selection.saved(lab)) == Selection(("1.31.0",), "1.36.3")
    assert select("", "1.36.3", existing=selection.saved(lab)) == chosen
    with pytest.raises(LabError, match=r"KUBERNETES=1\.37\.2: the lab runs Kubernetes 1\.36\.3\. .*make lab-down"):
        select("", "1.37.2", existing=selection.saved(lab))


def test_a_lab_from_before_there_was_a_choice_stays_as_it_is(lab: Lab) -> None:
    write(lab.kubeconfig, "")
    assert selection.saved(lab) == Selection(("1.29.1",), "1.35.4")


def test_the_documentation_has_every_release() -> None:
    rows = {
        line.split()[1]: line for line in (SOURCES / "README.md").read_text().splitlines() if line.startswith("| 1.")
    }
    assert list(rows) == list(versions.ISTIO_RELEASES)
    for name, one in versions.ISTIO_RELEASES.items():
        assert all(f" {fact} " in rows[name] for fact in (one.kubernetes, one.envoy, one.hub))
        assert ("(default)" in rows[name]) == (name == versions.ISTIO)


def test_what_a_build_replaces_is_told() -> None:
    version, text = release.describe(Path("1.30.4-0123456789ab"))
    assert version == "1.30.4"
    assert versions.ISTIO_RELEASES["1.30.4"].module in text
    assert "istio.io/api v1.30.8, istio.io/client-go v1.30.8" in text
    assert "replaced" not in release.describe(Path("1.31.0-0123456789ab"))[1]
    assert release.describe(Path("1.30.4")) == ("1.30.4", "the official release")


def test_a_site_is_given_the_first_release_and_the_sources_of_all(lab: Lab, tmp_path: Path) -> None:
    write(lab.pki / "admin.kubeconfig", "")
    kubectl = tmp_path / "kubectl"

    def variables(*releases: str) -> tuple[str, object]:
        folders = {version: tmp_path / version for version in releases}
        handover.write_all(lab, Parts({"kubectl": kubectl}, [], folders, pulled=False))
        found = yaml.safe_load(lab.vars_file.read_text())
        return found["mesh_version"], found["mesh_release_source"]

    assert variables("1.30.4") == ("1.30.4", str(tmp_path / "1.30.4"))
    assert variables("1.31.0", "1.30.4") == ("1.31.0", [str(tmp_path / "1.31.0"), str(tmp_path / "1.30.4")])
    programs = {path.name: path.readlink().parts[-4] for path in (lab.state / "bin").glob("istioctl*")}
    assert programs == {"istioctl": "1.31.0", "istioctl-1.31.0": "1.31.0", "istioctl-1.30.4": "1.30.4"}
