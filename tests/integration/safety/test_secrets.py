# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets that users give are in no event, artifact, fact, output or temporary file of a job."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.awx.jobs import AWX, Controller, Credential, Job
from ansible_collections.meshops.istio.tests.awx.reading import read
from ansible_collections.meshops.istio.tests.integration.safety.canaries import NAMESPACE, Canaries, files, variables
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.processes import family, kill
from ansible_collections.meshops.istio.tests.support.steps import Seen

HOSTS = {"one": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
SECRETS = Kind("v1", "Secret")


class Site:
    """A controller whose folders are searched, on the lab, with secrets in all variables."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.jobs: list[Job] = []
        self.temporary = folder / "tmp"
        self._home, self._jobs = folder / "home", folder / "jobs"
        for one in (self.temporary, self._home, self._jobs):
            one.mkdir()
        self._controller = Controller(self._jobs, self._home, self.jobs)
        self.canaries = Canaries()
        self.variables = variables(self.canaries, lab.release["source"][0], lab.variables["mesh_overlays"])
        text = Path(lab.kubeconfig).read_text(encoding="utf-8")
        for user in yaml.safe_load(text)["users"]:
            for name in {"token", "client-key-data"} & user["user"].keys():
                self.canaries.new(f"{name} of the kubeconfig", user["user"][name])
        (kind,) = read(AWX / "configuration/credentials.yml")["controller_credential_types"]
        self._credential = Credential(kind["injectors"], {"kubeconfig": text})

    def run(self, playbook: str, **more: Any) -> Job:
        """A job with the secrets, its diffs shown, as verbose as it can be."""
        environment = {
            "TMPDIR": str(self.temporary),
            "ANSIBLE_DIFF_ALWAYS": "True",
            "ANSIBLE_VERBOSITY": "4",
        }
        return self._controller.run(
            playbook, HOSTS, {**self.variables, **more}, self._credential, environment=environment
        )

    def places(self) -> dict[str, bytes]:
        """What jobs left anywhere but in what they were given: events, artifacts, output, facts, temporary files."""
        texts = {f"what AWX keeps of {job.name}": job.text.encode() for job in self.jobs}
        return {**texts, **dict(files(self.temporary, self._home))}


@pytest.fixture
def site(lab: Lab, cluster: Cluster, tmp_path: Path) -> Iterator[Site]:
    yield Site(lab, tmp_path)
    with contextlib.suppress(Exception):
        cluster.delete(Kind("v1", "Namespace"), NAMESPACE)


def told(site: Site) -> str:
    places = site.places()
    found = site.canaries.found(places)
    assert found == {}, {place: names[:3] for place, names in found.items()}
    events = sum(len(job.events) for job in site.jobs)
    given = ", ".join(site.canaries.given)
    return (
        f"{len(site.canaries.given)} secrets given ({given}), looked for in {events} events, artifacts, facts, output at"
        f" -vvvv with diffs, and {len(places)} files that were left: 0 found"
    )


@pytest.mark.step("secrets 01", "site, plan and verify with a secret in every place that takes one")
def test_jobs_that_succeed_show_no_secret(site: Site, cluster: Cluster, seen: Seen) -> None:
    for playbook in ("plan.yml", "site.yml", "verify.yml"):
        job = site.run(playbook, mesh_verify_analysis_fail_on="never")
        assert job.status in ("successful", "failed" if playbook == "verify.yml" else ""), job.failures
    applied = cluster.get(SECRETS, "text", NAMESPACE)
    assert applied, "they are applied as they are"
    assert [one["name"] for one in site.jobs[1].result["one"]["applications"]] == ["secrets"]
    seen(told(site))


BAD: dict[str, dict[str, Any]] = {
    "a Secret that the API refuses": {"data": {"any": "canary-refused-9f3e7c is no base64"}},
    "a Secret of a wrong form": {"stringData": {"any": {"nested": "canary-refused-9f3e7c"}}},
    "a Secret with an unknown field": {"stringdata": {"any": "canary-refused-9f3e7c"}},
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.step("secrets 02", "a Secret that is refused, with what the API says of it")
def test_a_refusal_quotes_no_secret(case: str, site: Site, seen: Seen) -> None:
    site.canaries.new(case, "canary-refused-9f3e7c")
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bad"}, **BAD[case]}
    units = [{"name": "bad", "namespace": NAMESPACE, "wait": False, "definition": [manifest]}]
    job = site.run("site.yml", mesh_applications=units)
    seen(f"{case}: '{job.failures.get('one', 'applied')[:120]}'; {told(site)}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mesh_release_source", ["https://me:canary-failed-9f3e7c@127.0.0.1:9/istio?sig=canary-failed-9f3e7c"]),
        ("mesh_values", "password=canary-failed-9f3e7c and more"),
        ("mesh_values", {"pilot": {"env": ["API_TOKEN=canary-failed-9f3e7c"]}}),
        ("mesh_proxy", "http://me:canary-failed-9f3e7c@127.0.0.1:9"),
    ],
    ids=["mirror", "text for a dictionary", "list for a dictionary", "proxy"],
)
@pytest.mark.step("secrets 03", "variables that cannot work, with a secret in them")
def test_a_mistake_quotes_no_secret(name: str, value: Any, site: Site, seen: Seen) -> None:
    site.canaries.new(name, "canary-failed-9f3e7c")
    job = site.run("plan.yml", **{name: value})
    assert job.status == "failed"
    seen(f"{name}: '{job.failures['one'][:120]}'; {told(site)}")


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are Linux's")
@pytest.mark.parametrize("command", ["istioctl experimental precheck", "istioctl manifest generate"])
@pytest.mark.step("secrets 04", "kill -9 while istioctl has the cluster's credentials, or the secrets' values")
def test_a_killed_run_leaves_no_secret(command: str, site: Site, lab: Lab, tmp_path: Path, seen: Seen) -> None:
    given = tmp_path / "given.yml"
    kubeconfig = yaml.safe_load(Path(lab.kubeconfig).read_text(encoding="utf-8"))
    given.write_text(yaml.safe_dump({**site.variables, "mesh_kubeconfig": kubeconfig}), encoding="utf-8")
    home = tmp_path / "killed"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(site.temporary), "MESHOPS_CACHE": str(home / "cache")}
    playbook = [str(Path(sys.executable).with_name("ansible-playbook")), "meshops.istio.plan", "-e", f"@{given}"]
    ours = f"TMPDIR={site.temporary}"
    with (tmp_path / "output").open("wb") as output:
        playing = subprocess.Popen(playbook, cwd=home, env=environment, stdout=output, stderr=output)
    try:
        while playing.poll() is None and not any(command in words for _process, words in family(ours)):
            time.sleep(0.001)
    finally:
        kill(ours)
    assert playing.wait() == -signal.SIGKILL, "it had not ended by itself"
    left = dict(files(site.temporary, home))
    found = site.canaries.found(left)
    assert found == {}, {place: names[:3] for place, names in found.items()}
    seen(f"killed while `{command}` ran: {len(site.canaries.given)} secrets given, {len(left)} files left: 0 found")
