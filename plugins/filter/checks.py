# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter C(meshops.istio.checks): evaluate the checks of a mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import sentences
from ansible_collections.meshops.istio.plugins.plugin_utils.drift import Check, Data, drift
from ansible_collections.meshops.istio.plugins.plugin_utils.report.names import some, where

DOCUMENTATION = r"""
name: checks
short_description: Evaluate the checks of a mesh from the results of other modules
version_added: 0.1.0
extends_documentation_fragment:
  - meshops.istio.internal
author:
  - The meshops.istio authors (@meshops)
description:
  - Returns the checks of C(meshops.istio.verify), with the cause of each failed check.
positional: _input, expected, answers
options:
  _input:
    description:
      - Results of modules. C(control_planes), C(skew) and C(findings) are from M(meshops.istio.control_plane_info),
        C(namespaces) and C(workloads) from M(meshops.istio.injection_info), C(proxies) and C(certificates) from
        M(meshops.istio.proxy_info), C(parts) and C(failure) from M(meshops.istio.mesh), C(analysis) is the
        result of M(meshops.istio.analysis_info), and C(gateways) is a list of results of
        M(meshops.istio.ingress_info). Missing results are not checked.
    type: dict
    required: true
  expected:
    description: Expected C(version), C(revision), C(namespace) of the control plane, C(namespaces) with injection, and
      those C(outside) of the mesh.
    type: dict
    required: true
  answers:
    description: Results of M(ansible.builtin.uri) for the readiness URL of each gateway.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Evaluate the checks
  ansible.builtin.set_fact:
    mesh_checks: "{{ found | meshops.istio.checks({'version': '1.31.4', 'namespaces': ['shop']}) }}"
"""

RETURN = r"""
_value:
  description: The checks.
  type: list
  elements: dict
  contains:
    name:
      description: The condition that is checked.
      type: str
    ok:
      description: V(true) if the check passed.
      type: bool
    cause:
      description: Why the check failed, as one sentence. Empty if it passed.
      type: str
"""


def _control_plane(found: Data, expected: Data) -> Iterator[Check]:
    revision = expected.get("revision") or "default"
    planes: Sequence[Data] = found.get("control_planes") or ()
    plane = next((one for one in planes if one["revision"] == revision), None)
    there = ", ".join(f"{one['revision']} in {one['namespace']}" for one in planes) or "none"
    expected_namespace = expected.get("namespace") or "istio-system"
    absent = f"There is no control plane of revision {revision} in {expected_namespace}; there is {there}."
    yield f"control plane {revision} is installed", "" if plane else absent
    if plane is None:
        return
    unhealthy = f"The control plane {revision} is not healthy: {plane.get('message') or 'it does not say why'}."
    yield f"control plane {revision} is healthy", "" if plane["healthy"] else unhealthy
    version = expected.get("version")
    if version:
        other = f"The control plane {revision} is of version {plane['version']}, and mesh_version is {version}."
        yield f"control plane {revision} is of version {version}", "" if plane["version"] == version else other
    for gateway in plane.get("gateways") or ():
        name = where(gateway)
        yield f"gateway {name} is healthy", "" if gateway["healthy"] else f"Not all pods of gateway {name} are ready."


def _release(found: Data) -> Iterator[Check]:
    if "findings" in found:
        wrong = sentences([one for one in found["findings"] if one["level"] == "error"])
        yield "installed releases are acceptable to mesh_security", " ".join(wrong)


def _proxies(found: Data, expected: Data) -> Iterator[Check]:
    revision = expected.get("revision") or "default"
    for plane in found.get("control_planes") or ():
        if plane["revision"] == revision and (versions := plane.get("proxies")):
            said = ", ".join(f"{count} of {version}" for version, count in sorted(versions.items()))
            mixed = f"The proxies of {revision} are of different versions: {said}; restart those that are outdated."
            yield f"proxies of {revision} are of one version", mixed if len(versions) > 1 else ""
    skewed = [f"{one['pod']} ({one['version']} of {one['revision']})" for one in found.get("skew") or ()]
    yield "proxies fit their control plane", f"Too far from its version: {', '.join(skewed)}." if skewed else ""


def _configuration(found: Data) -> Iterator[Check]:
    if "proxies" not in found:
        return
    lacking = [_lacking(one) for one in found["proxies"] if one["state"] != "synced"]
    said = f"{len(lacking)} of {len(found['proxies'])} proxies have not confirmed their configuration: {some(lacking)}."
    yield "proxies have their configuration", said if lacking else ""


def _lacking(proxy: Data) -> str:
    return f"{proxy['pod']} ({', '.join(proxy['stale']) or 'not connected to its control plane'})"


def _certificates(found: Data) -> Iterator[Check]:
    if "certificates" not in found:
        return
    bad = [_certificate(one) for one in found["certificates"] if one["state"] != "valid"]
    silent = [f"{one['pod']} (does not tell its own)" for one in found.get("proxies") or () if not one["answers"]]
    said = f"Not all certificates are valid for long enough: {some(bad + silent)}."
    yield "certificates are valid, and for long enough", said if bad or silent else ""


def _certificate(one: Data) -> str:
    words = {"expiring": "ends", "expired": "ended", "not_yet_valid": "begins"}
    moment = one["begins"] if one["state"] == "not_yet_valid" else one["ends"]
    whose = ", ".join(one["names"][:1]) or (
        "a certificate authority" if one["authority"] else f"serial {one['serial']}"
    )
    return f"{whose} of {one['proxy']} {words[one['state']]} at {moment}"


def _analysis(found: Data) -> Iterator[Check]:
    if "analysis" in found:
        said = found["analysis"]
        yield (
            "the configuration is as Istio's analysis wants it",
            "" if said.get("ok") else f"{said['msg'].rstrip('.')}.",
        )


def _injection(found: Data, expected: Data) -> Iterator[Check]:
    namespaces = {one["name"]: one for one in found.get("namespaces") or ()}
    for name in expected.get("namespaces") or ():
        if name not in namespaces:
            cause = f"The namespace {name} does not exist."
        elif not namespaces[name].get("injector"):
            cause = f"No control plane injects into {name} (its injection is {namespaces[name]['injection']})."
        else:
            cause = ""
        yield f"namespace {name} is in the mesh", cause
    for name in expected.get("outside") or ():
        yield f"namespace {name} is out of the mesh", _still_in(namespaces.get(name) or {})
    for name, one in namespaces.items():
        if one.get("injector"):
            lacking = [
                f"{workload['kind']} {workload['name']}" + (" (rolling out)" if workload.get("rolling_out") else "")
                for workload in found.get("workloads") or ()
                if workload["namespace"] == name and workload["missing"]
            ]
            cause = f"{one['without_sidecar']} of {one['pods']} pods in {name} lack it: {', '.join(lacking)}."
            yield f"pods in {name} have their sidecar", cause if one["without_sidecar"] else ""
            others = [
                f"{workload['kind']} {workload['name']}"
                for workload in found.get("workloads") or ()
                if workload["namespace"] == name and workload.get("other_revision")
            ]
            cause = f"{one.get('other_revision')} of {one['pods']} pods in {name} have another: {', '.join(others)}. Restart them."
            yield f"sidecars in {name} are of revision {one['injector']}", cause if others else ""


def _still_in(namespace: Data) -> str:
    """Return why a namespace is not out of the mesh yet; empty if it is, or does not exist."""
    if namespace.get("injector"):
        return f"The control plane {namespace['injector']} injects into {namespace['name']}. Run meshops.istio.site."
    count = namespace.get("with_sidecar")
    if not count:
        return ""
    return f"{count} of {namespace['pods']} pods in {namespace['name']} still have a sidecar. Restart their workloads."


def _gateways(found: Data, answers: Sequence[Data]) -> Iterator[Check]:
    by_name = {where(answer["item"]): answer for answer in answers}
    gateways = {where(gateway): gateway for gateway in found.get("gateways") or ()}
    declared = ((found.get("parts") or {}).get("control_plane") or {}).get("gateways") or ()
    for name in sorted({*gateways, *(where(one) for one in declared if one["component"] == "IngressGateways")}):
        gateway = gateways.get(name, {})
        missing = f"The gateway {name} is not there."
        pending = f"The {gateway.get('type')} Service of {name} has no address yet."
        yield f"gateway {name} has an address", (pending if gateway["pending"] else "") if gateway else missing
        if not gateway:
            yield f"gateway {name} answers", missing
        elif name in by_name:
            status = by_name[name].get("status", -1)
            said = f"status {status}" if status > 0 else f"nothing ({by_name[name].get('msg', '').rstrip('.')})"
            wrong = f"{by_name[name].get('url', 'The gateway')} answers {said} instead of status 200."
            yield f"gateway {name} answers", "" if status == 200 else wrong


def checks(found: Data, expected: Data, answers: Sequence[Data] = ()) -> list[dict[str, Any]]:
    """Evaluate the checks of `found` against `expected` and the responses of the gateways."""
    pairs = [
        *_control_plane(found, expected),
        *drift(found.get("parts") or {}, found.get("failure") or ""),
        *_release(found),
        *_proxies(found, expected),
        *_configuration(found),
        *_certificates(found),
        *_injection(found, expected),
        *_analysis(found),
        *_gateways(found, answers),
    ]
    return [{"name": name, "ok": not cause, "cause": cause} for name, cause in pairs]


class FilterModule:
    """Filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"checks": checks}
