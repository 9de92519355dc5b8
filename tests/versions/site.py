# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site on a lab with real sidecars: one step after the other, as its owner takes them."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.support.playbook import Run, run_playbook
from ansible_collections.meshops.istio.tests.support.rights import USER, Account, Right, documented

from lab import audit
from lab.paths import CHECKOUT, Lab

STEPS = {"install": 10, "again": 18, "verify": 10, "traffic": 16, "addons": 16, "addons_again": 18, "uninstall": 12}
"""The steps in their order, each with the width of its column."""

OUT = CHECKOUT / "build" / "versions"
APPLICATION = "hello"
ADDONS = ("prometheus", "grafana", "kiali", "jaeger", "loki")
REQUESTS = 50
PATIENCE = 30.0
"""Seconds until the gateway has its first route."""


class StepFailed(Exception):
    """A step does not do what it is to do; the message is for a person."""


class Site:
    """A mesh with the profile demo and an application behind its ingress gateway.

    All is done by an account that has the documented permissions and no others.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        given: dict[str, Any] = yaml.safe_load(lab.vars_file.read_text(encoding="utf-8"))
        self._variables = {
            **given,
            "mesh_impersonate_user": USER,
            "mesh_profile": "demo",
            "mesh_inject_namespaces": [APPLICATION],
            "mesh_create_namespaces": True,
            "mesh_applications": [{"name": "helloworld", "namespace": APPLICATION, "sample": "helloworld"}],
        }

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster.connect({"kubeconfig": str(self._lab.kubeconfig)}, user_agent="versions")

    def install(self) -> str:
        """Install the mesh and the application on an empty cluster."""
        Account(self._cluster).hold(frozenset[Right]().union(*documented().values()))
        if not self._play("site").changed["one"]:
            raise StepFailed("nothing was installed")
        return ""

    def again(self) -> str:
        """Run the same once more, which writes nothing."""
        begun = str(time.time())
        changed = self._play("site").changed["one"]
        time.sleep(0.5)  # the audit log is written in bundles
        writes = audit.writes(self._lab, user_agent="meshops.istio/", since=begun)
        if changed or writes:
            first = f", first {writes[0].verb} {writes[0].resource} {writes[0].name}" if writes else ""
            raise StepFailed(f"{changed} tasks changed something, {len(writes)} writes{first}")
        return "0 writes, "

    def verify(self) -> str:
        """Verify the mesh by its playbook."""
        self._play("verify")
        return ""

    def traffic(self) -> str:
        """Send requests through the ingress gateway, which sidecars answer."""
        gateway = self._cluster.get(Kind("v1", "Service"), "istio-ingressgateway", "istio-system") or {}
        addresses = gateway.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        url = f"http://{addresses[0].get('ip')}/hello"
        until = time.monotonic() + PATIENCE
        while _answer(url)[0] != 200 and time.monotonic() < until:
            time.sleep(1)
        answers = [_answer(url) for _ in range(REQUESTS)]
        versions = Counter(found[1] for _status, text in answers if (found := re.search(r"version: (v\d)", text)))
        if [status for status, _text in answers] != [200] * REQUESTS or set(versions) != {"v1", "v2"}:
            raise StepFailed(f"{url} answers {Counter(status for status, _ in answers)}, versions {dict(versions)}")
        return f"{REQUESTS} of {REQUESTS}, "

    def addons(self) -> str:
        """Add the release's addons, ready."""
        self._variables |= {"mesh_addons": list(ADDONS), "mesh_addons_tracing": "jaeger"}
        self._play("site")
        return f"{len(ADDONS)} ready, "

    def addons_again(self) -> str:
        """Run the site with addons once more, which writes nothing."""
        return self.again()

    def uninstall(self) -> str:
        """Uninstall it, until no kind and no namespace of it is left."""
        removed = {"mesh_uninstall_confirm": True, "mesh_purge": True, "mesh_force": True}
        self._play("uninstall", **removed)
        kinds = self._cluster.list(Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"))
        left = [kind["metadata"]["name"] for kind in kinds if kind["spec"]["group"].endswith("istio.io")]
        left += [one["metadata"]["name"] for one in self._cluster.list(Kind("apps/v1", "Deployment"), "istio-system")]
        if left:
            raise StepFailed(f"{len(left)} objects are left: {', '.join(left[:5])}")
        return ""

    def _play(self, name: str, **variables: Any) -> Run:
        hosts = {"one": {**self._variables, **variables}}
        run = run_playbook(f"meshops.istio.{name}", hosts=hosts, folder=self._folder)
        if run.returncode:
            log = OUT / f"{self._variables['mesh_version']}-{name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(run.text, encoding="utf-8")
            raise StepFailed(f"{run.failures.get('one') or run.text[-1500:]} (the whole run: {log})")
        return run


def _answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            if response.headers["server"] != "istio-envoy":
                return 0, "not the gateway"
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""
