# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples as a user copies them: a repository with its pipeline, a scenario of Molecule, and a playbook of traffic."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT, Lab

EXAMPLES = CHECKOUT / "examples"
PROGRAMS = Path(sys.executable).parent
NOTHING = "#!/bin/sh\n"
GH = '#!/bin/sh\necho "$@" >>"{log}"\n'


def variables(lab: Lab, **more: Any) -> dict[str, Any]:
    """The mesh of examples/first_mesh on the lab, without the way to reach it."""
    mesh = yaml.safe_load((EXAMPLES / "first_mesh/mesh.yml").read_text(encoding="utf-8"))
    own = {name: value for name, value in lab.variables.items() if name != "mesh_kubeconfig"}
    return {**mesh, **own, **more}


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Pipeline:
    """A repository with the workflow of examples/ci, whose jobs run here; what they install is there already."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.folder = folder / "my-meshes"
        shutil.copytree(EXAMPLES / "ci", self.folder)
        hosts = {"west": {"ansible_connection": "local", **variables(lab)}}
        (self.folder / "clusters.yml").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        programs = folder / "bin"
        programs.mkdir()
        self._said = folder / "gh.log"
        for name, text in {"pip": NOTHING, "ansible-galaxy": NOTHING, "gh": GH.format(log=self._said)}.items():
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)
        self._secret = Path(lab.kubeconfig).read_text(encoding="utf-8")
        self._jobs = yaml.safe_load((self.folder / "github-actions.yml").read_text(encoding="utf-8"))["jobs"]
        self._environment = {
            "PATH": f"{programs}:{PROGRAMS}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "team/my-meshes",
            "KUBECONFIG": "",
        }

    def job(self, name: str) -> str:
        """What the job's steps print."""
        variables = self.folder / "github.env"
        variables.touch()
        output = ""
        for step in self._jobs[name]["steps"]:
            if "run" in step:
                said = dict(line.split("=", 1) for line in variables.read_text(encoding="utf-8").splitlines())
                own = {key: re.sub(r"\$\{\{.*\}\}", "7", value) for key, value in step.get("env", {}).items()}
                if "KUBECONFIG_CONTENT" in own:
                    own["KUBECONFIG_CONTENT"] = self._secret
                environment = {**self._environment, "GITHUB_ENV": str(variables), **said, **own}
                output += run(["bash", "-e", "-c", step["run"]], self.folder, environment)
        return output

    @property
    def comments(self) -> list[str]:
        """The requests to GitHub that sent a comment."""
        return [line for line in self._said.read_text(encoding="utf-8").splitlines() if "body=@plan.md" in line]


def test_a_repository_plans_installs_and_verifies(lab: Lab, tmp_path: Path) -> None:
    pipeline = Pipeline(lab, tmp_path)
    pipeline.job("plan")
    assert len(pipeline.comments) == 1
    assert "issues/7/comments" in pipeline.comments[0]
    plan = (pipeline.folder / "plan.md").read_text(encoding="utf-8")
    assert plan.startswith("<!-- meshops.istio -->\n")
    assert "mesh_plan_digest" in plan
    assert "created" in pipeline.job("site")
    assert "changed=0 " in pipeline.job("site")
    pipeline.job("verify")
    suites = (pipeline.folder / "verify.xml").read_text(encoding="utf-8")
    assert "<testcase" in suites
    assert "<failure" not in suites
    assert "digest" not in (pipeline.job("plan") and (pipeline.folder / "plan.md").read_text(encoding="utf-8"))

    # The traffic of the example, on this mesh.
    command = [str(PROGRAMS / "ansible-playbook"), str(EXAMPLES / "traffic/routes.yml")]
    access = {"K8S_AUTH_KUBECONFIG": lab.kubeconfig}
    run(command, tmp_path, access)
    assert "changed=0 " in run(command, tmp_path, access)
    run([*command, "-e", "hello_state=absent"], tmp_path, access)


def test_a_scenario_of_molecule_passes(lab: Lab, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "molecule", tmp_path / "molecule")
    (tmp_path / "molecule/default/inventory/group_vars/all.yml").write_text(
        json.dumps(variables(lab)), encoding="utf-8"
    )
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    run([str(PROGRAMS / "molecule"), "test"], tmp_path, {"KUBECONFIG": lab.kubeconfig, "PATH": path})
