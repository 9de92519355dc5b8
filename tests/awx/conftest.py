# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of simulated clusters, and what AWX knows of it; in the end, what jobs were run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.tests.awx.jobs import AWX, Controller, Credential, Job
from ansible_collections.meshops.istio.tests.awx.reading import read
from ansible_collections.meshops.istio.tests.equivalence.labs import simulated

CONTEXTS = ("east", "west", "north")
SITE = ("mesh_version", "mesh_release_source", "mesh_overlays")
"""What the lab's machine says about each cluster."""

_jobs: list[Job] = []


@dataclass(frozen=True)
class Fleet:
    """Clusters by the names of their contexts."""

    kubeconfig: dict[str, Any]
    site: dict[str, Any]
    labs: dict[str, str] = field(default_factory=dict)

    def cluster(self, context: str) -> Cluster:
        """A cluster, under a name that is not counted with the collection's."""
        return Cluster.connect({"kubeconfig": self.kubeconfig, "context": context}, user_agent="tests")

    def credential(self, *contexts: str) -> Credential:
        """A credential of the type Kubeconfig with all clusters, or only some of them."""
        kept = [one for one in self.kubeconfig["contexts"] if not contexts or one["name"] in contexts]
        (own,) = read(AWX / "configuration/credentials.yml")["controller_credential_types"]
        content = {**self.kubeconfig, "contexts": kept, "current-context": kept[0]["name"]}
        return Credential(own["injectors"], {"kubeconfig": json.dumps(content)})

    @property
    def secrets(self) -> list[str]:
        """What no job may tell."""
        users = [one["user"] for one in self.kubeconfig["users"]]
        return [value for user in users for name, value in user.items() if name in ("token", "client-key-data")]


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    names = dict(zip(CONTEXTS, (f"awx-{number}" for number in range(len(CONTEXTS))), strict=True))
    with simulated(*names.values()) as labs:
        merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for context, lab in zip(CONTEXTS, labs, strict=True):
            one = yaml.safe_load(Path(lab["mesh_kubeconfig"]).read_text(encoding="utf-8"))
            for part in ("clusters", "users"):
                merged[part].append({**one[part][0], "name": context})
            merged["contexts"].append({"name": context, "context": {"cluster": context, "user": context}})
        yield Fleet(merged, {name: labs[0][name] for name in SITE}, names)


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Controller:
    return Controller(tmp_path_factory.mktemp("jobs"), tmp_path_factory.mktemp("home"), _jobs)


@pytest.fixture(scope="session")
def surveys() -> dict[str, dict[str, Any]]:
    """The surveys by name."""
    made = read(AWX / "configuration/surveys.yml")
    return {name.removeprefix("mesh_survey_"): survey for name, survey in made.items()}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell of the jobs: what they were, their events, and the artifacts that they handed over."""
    if not _jobs:
        return
    terminalreporter.section("jobs, as AWX reads them back; those that failed are refusals that were asked for")
    for job in _jobs:
        handed = ", ".join(f"{host} {_said(result)}" for host, result in sorted(job.result.items())) or "nothing"
        terminalreporter.write_line(f"{job.name:<16} {job.status:<10} {len(job.events):>4} events  artifact: {handed}")
    events = sum(len(job.events) for job in _jobs)
    artifacts = sum(1 for job in _jobs if job.result)
    terminalreporter.write_line(f"{len(_jobs)} jobs run, {events} events read, {artifacts} artifacts")


def _said(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"failed at '{result['error']['task']}'"
    if "changes" in result:
        return f"{len(result['changes'])} {'planned' if result.get('planned') else 'made'}"
    if "checks" in result:
        return f"{sum(1 for one in result['checks'] if one['ok'])} of {len(result['checks'])} checks hold"
    return f"{len(result['messages'])} messages"
