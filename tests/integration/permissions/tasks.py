# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is tried with the rights of each role, and then without one of them."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.meshops.istio.tests.integration.permissions.objects import OURS, THEIRS, Object
from ansible_collections.meshops.istio.tests.support.lab import Lab
from ansible_collections.meshops.istio.tests.support.rights import USER

Tasks = Mapping[str, list[tuple[str, Object]]]
"""Modules and their options by the role that they are of."""

BESIDE = {
    "control-plane-kinds": "control-plane",
    "control-plane-purge": "control-plane",
    "injection-recreate-pods": "injection",
    "verify": "mesh",
}
"""The roles whose rights are needed beside those of another one."""


def before_the_mesh(lab: Lab, gateway_api: str) -> Tasks:
    """What there is to try on a cluster without a mesh."""
    release, install = lab.release, lab.control_plane
    reads = [("precheck", {**release, "fail_on": "never"}), ("control_plane_info", {}), ("injection_info", {})]
    # A second istiod brings its PodDisruptionBudget.
    usual = ["components.cni.enabled=true", "values.pilot.autoscaleMin=2"]
    restart = {"namespaces": [THEIRS]}
    application = {**release, "name": "httpbin", "namespace": OURS, "sample": "httpbin", "create_namespaces": True}
    return {
        "mesh": reads,
        "gateway-api": [("gateway_api", {"src": [gateway_api]})],
        "control-plane": [("control_plane", {**install, "set": usual})],
        "control-plane-kinds": [("control_plane", kinds(lab))],
        "injection": [("injection", {"namespaces": [OURS], "create_namespaces": True}), ("restart", restart)],
        "injection-recreate-pods": [("restart", {**restart, "recreate_pods": True})],
        "applications": [("application", application)],
        "addons": [("addons", addons(lab))],
    }


def kinds(lab: Lab) -> Object:
    """A control plane with objects of the kinds that few configurations ask for."""
    rare = [
        "components.cni.enabled=true",
        "values.cni.provider=multus",
        "values.cni.resourceQuotas.enabled=true",
        "values.experimental.stableValidationPolicy=true",
        "values.global.networkPolicy.enabled=true",
    ]
    return {**lab.control_plane, "set": rare}


def addons(lab: Lab) -> Object:
    """Addons of all kinds of objects."""
    return {
        **lab.release,
        "addons": ["prometheus", "loki", "prometheus-operator"],
        "storage": {"prometheus": "1Gi"},
        "expose": [{"addons": ["prometheus"]}],
        "allow_http": True,
        "allow_anonymous": ["prometheus"],
        "access_logs": "envoy",
    }


def with_the_mesh(lab: Lab) -> Tasks:
    """What there is to try beside that where there is a mesh."""
    absent = {"state": "absent", "force": True}
    pending = {"name": "pending", "namespace": THEIRS, "wait": True}
    query = {"service": "istio-system/prometheus:9090", "query": "up", "min": 1}
    return {
        "mesh": [("precheck", {**lab.release, "fail_on": "never"}), ("injection_info", {})],
        "control-plane": [
            ("control_plane", absent),
            ("revision_tag", {**lab.release, "name": "another", "revision": "default"}),
            ("revision_tag", {"name": USER, "state": "absent"}),
        ],
        "control-plane-kinds": [("control_plane", kinds(lab))],
        "control-plane-purge": [("control_plane", {**absent, "purge": True, "purge_root_key": True})],
        "injection": [
            ("injection", {"namespaces": [THEIRS], "state": "absent"}),
            ("restart", {"namespaces": [THEIRS]}),
        ],
        "applications": [("application", {"name": "helloworld", "namespace": OURS, "state": "absent"})],
        "addons": [("addons", {"state": "absent"}), ("addons", addons(lab))],
        "dashboard": [("dashboard", {"addon": "prometheus"})],
        "canary": [("canary", {"name": "canary", "namespace": OURS, "subset": "v2", "prometheus": query})],
        "ingress": [("ingress_info", {}), ("ingress_info", {"name": "none"}), ("ingress_info", pending)],
        "verify": [("proxy_info", {"timeout": 0}), ("analysis_info", {**lab.release, "fail_on": "never"})],
        "openshift": [("openshift", {"projects": ["it-rights-new"], "scc": "anyuid", "scc_namespaces": [THEIRS]})],
    }
