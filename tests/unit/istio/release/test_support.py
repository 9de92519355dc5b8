# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a release on a day: end of life, security bulletins, retired registries, Kubernetes versions."""

from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.releases import KNOWN
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.support import (
    Finding,
    Support,
    check_kubernetes,
    refuse,
    sentences,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.version import Version
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import Refused
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern, has_facts

TODAY = date(2026, 11, 30)


def found(version: str, day: date = TODAY, *, security: str = "warn", **more: str) -> list[Finding]:
    images = [f"{more['hub']}/pilot:{version}"] if "hub" in more else []
    return Support(security=security).findings(version, images=images, day=day)


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one["code"], one["level"]) for one in findings]


def test_nothing_is_wrong_with_a_supported_release() -> None:
    assert found("1.31.0", hub="docker.io/istio") == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 9, 11), []),
        (date(2026, 9, 12), [("end_of_life_near", "warning")]),
        (date(2026, 10, 12), [("end_of_life_near", "warning")]),
        (date(2026, 10, 13), [("end_of_life", "warning")]),
    ],
)
def test_the_end_of_life_of_a_release(day: date, expected: list[tuple[str, str]]) -> None:
    assert codes(found("1.29.10", day)) == expected


def test_an_end_of_life_that_is_only_estimated_is_no_error() -> None:
    (finding,) = found("1.31.4", date(2027, 3, 15), security="strict")
    assert (finding["code"], finding["level"]) == ("end_of_life_near", "warning")
    assert has_facts(finding["message"], "Istio 1.31.4 & ended about 2027-02-28")


def test_the_days_before_the_end_of_life_are_an_option() -> None:
    findings = Support(days=120).findings("1.31.0", day=TODAY)
    assert codes(findings) == [("end_of_life_near", "warning")]
    assert has_facts(findings[0]["message"], "Istio 1.31.0 & about 2027-02-28")
    assert has_facts(findings[0]["fix"], "Upgrade & 1.31.4")


def test_a_release_of_the_past_names_the_bulletins_and_where_to_go() -> None:
    end, *bulletins = found("1.29.1")
    assert has_facts(end["message"], "Istio 1.29.1 & 2026-10-12")
    assert (end["fix"], end["reference"][:16]) == ("Upgrade to 1.30.8 or 1.31.4.", "https://istio.io")
    assert {one["origin"]: one["fixed_in"] for one in bulletins} == {
        "ISTIO-SECURITY-2026-003": "1.29.2",
        "ISTIO-SECURITY-2026-004": "1.29.4",
        "ISTIO-SECURITY-2026-006": "1.29.7",
    }
    first, second = sentences([end, *bulletins])
    assert has_facts(first, "2026-10-12 & 1.31.4")
    assert has_facts(second, "Istio 1.29.1 & 2026-003 (fixed in 1.29.2) & 2026-004 & 2026-006 & Upgrade to 1.30.8")


def test_a_supported_minor_version_is_upgraded_to_its_newest_patch() -> None:
    (finding,) = found("1.30.0", date(2026, 7, 1))[:1]
    assert has_facts(f"{finding['message']} {finding['fix']}", "ISTIO-SECURITY-2026-004 & fixed in 1.30.1 & 1.30.8")


@pytest.mark.parametrize(
    ("day", "level", "verb"),
    [(TODAY, "warning", "is"), (date(2026, 12, 20), "warning", "is"), (date(2027, 1, 1), "error", "was")],
)
def test_a_registry_that_is_retired(day: date, level: str, verb: str) -> None:
    findings = found("1.30.8", day, security="strict", hub="registry.istio.io/release")
    (finding,) = [one for one in findings if one["code"] == "retired_registry"]
    assert (finding["level"], finding["origin"]) == (level, "registry.istio.io/release")
    assert has_facts(finding["message"], f"{verb} retired in 2026-12")
    assert has_facts(finding["fix"], "hub & docker.io/istio")
    assert found("1.30.8", day, security="ignore", hub="registry.istio.io/release") == []


def test_with_strict_a_release_is_refused() -> None:
    with pytest.raises(Refused, match=facts_pattern("Cannot install Istio 1.29.6 & 2026-10-12 & 2026-006 & security")):
        refuse(found("1.29.6", security="strict"))
    refuse(found("1.29.6"))
    refuse(found("1.30.8", security="strict"))


def test_a_release_newer_than_the_data_has_one_warning() -> None:
    (finding,) = found("1.99.0", security="strict")
    assert (finding["code"], finding["level"]) == ("newer_release", "warning")
    assert has_facts(finding["message"], f"1.99.0 & like Istio {KNOWN.newest_minor}")


@pytest.mark.parametrize("version", ["", "unknown", "latest"])
def test_a_version_that_is_none_has_no_findings(version: str) -> None:
    assert found(version) == []


def kubernetes(minor: int) -> Version:
    return Version(1, minor, f"v1.{minor}.2-gke.1")


@pytest.mark.parametrize(("istio", "minor"), [("1.29.1", 35), ("1.31.0", 37), ("1.8.1", 19), ("1.99.0", 37)])
def test_a_supported_kubernetes(istio: str, minor: int) -> None:
    assert check_kubernetes(istio, kubernetes(minor)) is None


def test_a_kubernetes_that_is_not_supported() -> None:
    with pytest.raises(Refused, match=facts_pattern("Istio 1.29.1 & supports Kubernetes 1.31 to 1.35 & 1.29.2-gke.1")):
        check_kubernetes("1.29.1", kubernetes(29))
    assert has_facts(check_kubernetes("1.29.1", kubernetes(36)), "1.31 to 1.35 & not tested")


def test_a_release_older_than_the_data_is_refused() -> None:
    with pytest.raises(Refused, match=facts_pattern("Istio 1.7.8 & older than 1.8 & ignore_version_check")):
        check_kubernetes("1.7.8", kubernetes(18))
