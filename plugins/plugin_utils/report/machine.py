# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Format the results of a run as JSON and as a JUnit report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from ansible_collections.meshops.istio.plugins.plugin_utils.report.status import (
    Result,
    failed_checks,
    overall,
    status_of,
)

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow."""


def as_json(results: Mapping[str, Result]) -> str:
    """Return {status, hosts: {host: {status, server, findings, checks, failed, changes, plan_digest, error}}}; unknown keys are omitted."""
    hosts = {host: dict(_host(result)) for host, result in results.items()}
    return json.dumps({"status": overall(results.values()), "hosts": hosts}, indent=2) + "\n"


def _host(result: Result) -> Iterator[tuple[str, Any]]:
    yield "status", status_of(result)
    for name in ("server", "error", "findings", "changes", "plan_digest"):
        if name in result:
            yield name, result[name]
    if "checks" in result:
        yield "checks", len(result["checks"])
        yield "failed", [{"name": one["name"], "cause": one["cause"]} for one in failed_checks(result)]


def as_junit(results: Mapping[str, Result]) -> str:
    """Return a suite for each host, with a case for each check; a failed run is an additional error."""
    root = ElementTree.Element("testsuites", name="meshops.istio.verify")
    total = [0, 0, 0]
    for host, result in results.items():
        counts = [len(result.get("checks") or ()), len(failed_checks(result)), 0]
        suite = ElementTree.SubElement(root, "testsuite", name=_text(host))
        for check in result.get("checks") or ():
            case = _case(suite, host, check["name"])
            if not check["ok"]:
                ElementTree.SubElement(case, "failure", message=_text(check["cause"])).text = _text(check["cause"])
        if failure := result.get("error"):
            counts[0], counts[2] = counts[0] + 1, 1
            message = _text(failure["message"])
            ElementTree.SubElement(_case(suite, host, failure["task"]), "error", message=message).text = message
        _count(suite, counts)
        total = [sum(pair) for pair in zip(total, counts, strict=True)]
    _count(root, total)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, host: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_text(host), name=_text(name))


def _count(element: ElementTree.Element, counts: list[int]) -> None:
    for name, count in zip(("tests", "failures", "errors"), counts, strict=True):
        element.set(name, str(count))


def _text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", str(text))
