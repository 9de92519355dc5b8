# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data about Istio's releases is complete and consistent, and a user's newer data is laid over it."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.release_data import (
    REGISTRIES,
    RELEASES,
    SAFE_REMOTE_SECRETS,
)
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.releases import KNOWN, read_release_data
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.security_bulletins import BULLETINS
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.versions import minor_of, version_key
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import has_facts

ROWS = sorted(RELEASES.items(), key=lambda item: version_key(item[0]))
KEYS = set(RELEASES["1.31"])
UNKNOWN = {"released", "end_of_life", "gateway_api", "samples_hub", "envoy", "new_kinds", "removed_kinds"}
"""What may not have been found."""


def test_there_is_a_row_for_each_minor_version() -> None:
    assert [minor_of(minor) for minor, _row in ROWS] == [(1, number) for number in range(8, 33)]


@pytest.mark.parametrize("minor", RELEASES)
def test_a_row_is_complete(minor: str) -> None:
    row = RELEASES[minor]
    assert row.keys() == KEYS
    assert {key for key, value in row.items() if value is None} <= UNKNOWN
    assert KNOWN.with_newer({"releases": {minor: row}}, "itself") == KNOWN  # it has the form of a user's data
    oldest, newest = KNOWN.kubernetes(minor) or (0, 0)
    assert oldest <= newest
    assert minor_of(row["newest"]) == minor_of(minor)
    assert re.fullmatch(r"https://\S+", row["source"])
    assert date.fromisoformat(row["looked_up"])
    if row["released"] and row["end_of_life"]:
        assert row["released"] < row["end_of_life"]


@pytest.mark.parametrize("key", ["released", "end_of_life", "gateway_api", "envoy"])
def test_newer_releases_have_later_days_and_newer_parts(key: str) -> None:
    values = [row[key] for _minor, row in ROWS if row[key]]
    for older, newer in pairwise(values):
        assert version_key(older.replace("-", ".")) <= version_key(newer.replace("-", "."))


def test_supported_kubernetes_versions_move_on() -> None:
    ranges = [KNOWN.kubernetes(minor) for minor, _row in ROWS]
    for older, newer in pairwise(one for one in ranges if one):
        assert older[0] <= newer[0]
        assert older[1] <= newer[1]


@pytest.mark.parametrize("number", BULLETINS)
def test_a_bulletin_names_releases_that_the_rows_know(number: str) -> None:
    bulletin = BULLETINS[number]
    assert number[15:19] == bulletin["published"][:4]
    assert KNOWN.with_newer({"bulletins": {number: bulletin}}, "itself") == KNOWN
    for one in bulletin["affected"]:
        if "before" in one:
            assert all(minor_of(one["before"]) <= minor_of(other["from"]) for other in bulletin["affected"][:-1])
            continue
        assert minor_of(one["from"]) == minor_of(one["fixed"])
        assert version_key(one["from"]) < version_key(one["fixed"])
        assert version_key(one["fixed"]) <= version_key(RELEASES[".".join(map(str, minor_of(one["from"])))]["newest"])


def test_registries_in_the_rows_are_replaced_by_others() -> None:
    for row in REGISTRIES.values():
        assert row["replacement"] not in REGISTRIES
    assert {row["hub"] for row in RELEASES.values()} <= {"docker.io/istio", *REGISTRIES}


def test_safe_patches_are_of_known_releases() -> None:
    for version in SAFE_REMOTE_SECRETS:
        assert version_key(version) <= version_key(RELEASES[version.rpartition(".")[0]]["newest"])


@pytest.mark.parametrize(
    ("version", "advisories"),
    [
        ("1.31.0", {}),
        ("1.30.3", {"006": "1.30.4"}),
        ("1.30.4", {}),
        ("1.29.1", {"003": "1.29.2", "004": "1.29.4", "006": "1.29.7"}),
        ("1.29.7", {}),
        ("1.28.10", {"006": ""}),
    ],
)
def test_bulletins_that_apply(version: str, advisories: dict[str, str]) -> None:
    found = KNOWN.advisories(version, date(2026, 11, 30))
    assert {one.number.removeprefix("ISTIO-SECURITY-2026-"): one.fixed for one in found} == advisories
    assert all(one.url.endswith(f"/istio-security-{one.number[15:]}/") for one in found)


def test_supported_releases() -> None:
    assert KNOWN.supported(date(2026, 11, 30)) == ["1.30.8", "1.31.4"]
    assert KNOWN.supported(date(2026, 10, 12))[0] == "1.29.10"


@pytest.mark.parametrize(
    ("version", "gateway_api"),
    [("1.29.1", "v1.4.0"), ("1.30.4", "v1.5.1"), ("1.31.0", "v1.6.0"), ("1.40.0", "v1.6.0"), ("1.27.3", None)],
)
def test_the_gateway_api_of_a_release(version: str, gateway_api: str | None) -> None:
    assert KNOWN.gateway_api(version) == gateway_api


@pytest.mark.parametrize(
    ("version", "gateway_api", "ignored"),
    [
        ("1.29.2", "v1.4.1", []),
        ("1.29.2", "v1.5.0", ["TLSRoute"]),
        ("1.30.0", "v1.4.0", ["TLSRoute"]),
        ("1.30.0", "v1.5.1", []),
        ("1.31.0", "v1.5.1", ["TCPRoute"]),
        ("1.31.0", "v1.3.0", ["BackendTLSPolicy", "TCPRoute", "TLSRoute"]),
        ("1.31.0", "", []),
    ],
)
def test_kinds_of_the_gateway_api_that_istiod_ignores(version: str, gateway_api: str, ignored: list[str]) -> None:
    assert list(KNOWN.ignored_kinds(version, gateway_api)) == ignored


def test_a_newer_release_counts_as_the_newest_known_one() -> None:
    assert (KNOWN.is_newer("1.99.0"), KNOWN.kubernetes("1.99.0")) == (True, KNOWN.kubernetes("1.32.0"))
    assert (KNOWN.is_older("1.7.8"), KNOWN.kubernetes("1.7.8")) == (True, None)
    assert KNOWN.end_of_life("1.99.0") is None


NEWER = """
releases:
  '1.31': {newest: 1.31.9, end_of_life: 2027-03-15, estimated: false}
  '1.33': {kubernetes: 1.34-1.39}
bulletins:
  ISTIO-SECURITY-2027-001:
    published: 2027-01-05
    affected: [{from: 1.31.0, fixed: 1.31.9}]
registries:
  docker.io/istio: {retired: 2030-01, replacement: registry.example.com/istio}
"""


def test_a_bulletin_is_accepted_by_data_that_it_affects_nothing() -> None:
    accepted = {"bulletins": {"ISTIO-SECURITY-2026-006": {"published": "2026-08-26", "affected": []}}}
    found = read_release_data([accepted]).advisories("1.30.3", date(2026, 11, 30))
    assert (found, len(KNOWN.advisories("1.30.3", date(2026, 11, 30)))) == ([], 1)


@pytest.mark.parametrize(
    "text",
    [
        "releases: {'1.31': {kubernetes: null, newest: null, gateway_api_kinds: {TLSRoute: null}}}",
        "releases: {'1.31': null}",
        "{releases: null, bulletins: null, registries: null}",
    ],
)
def test_null_counts_as_absent(text: str) -> None:
    found = read_release_data([{"source": "releases.yml", "text": text}])
    assert found.releases["1.31"] | {"gateway_api_kinds": {}} == KNOWN.releases["1.31"] | {"gateway_api_kinds": {}}
    found.ignored_kinds("1.31.0", "v1.3.0")


@pytest.mark.parametrize("form", ["path", "text", "data"])
def test_newer_data_is_laid_over_the_collections(form: str, tmp_path: Path) -> None:
    import yaml

    path = tmp_path / "releases.yml"
    path.write_text(NEWER, encoding="utf-8")
    data = yaml.load(NEWER, yaml.BaseLoader)
    data["releases"]["1.31"]["estimated"] = False
    entries: dict[str, Any] = {"path": str(path), "text": {"source": "releases.yml", "text": NEWER}, "data": data}
    found = read_release_data([entries[form]])
    assert found.end_of_life("1.31.0") == date(2027, 3, 15)
    assert found.kubernetes("1.31.0") == KNOWN.kubernetes("1.31.0")
    assert [(one.number, one.fixed) for one in found.advisories("1.31.4", date(2027, 1, 5))] == [
        ("ISTIO-SECURITY-2027-001", "1.31.9")
    ]
    assert found.advisories("1.31.4", date(2027, 1, 4)) == []
    assert (found.kubernetes("1.33.0"), found.end_of_life("1.33.0"), found.is_newer("1.33.0")) == (
        (34, 39),
        None,
        False,
    )
    assert found.gateway_api("1.33.0") == "v1.6.0"
    assert found.retirement("docker.io/istio/pilot:1.31.4") is not None
    assert KNOWN.retirement("docker.io/istio/pilot:1.31.4") is None


BULLETIN = "bulletins: {ISTIO-SECURITY-2027-001: {published: 2027-01-05, affected: "


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("[]", "map of keys"),
        ("release: {}", "unknown key 'release' & releases, bulletins"),
        ("releases: {1.30: {newest: 1.30.9}}", "1.3 & quotes"),
        ("releases: {'1.31': {newst: 1.31.9}}", "unknown key 'newst' & releases.1.31 & newest"),
        ("releases: {'1.31': {newest: 1.31}}", "releases.1.31.newest & text"),
        ("releases: {'1.31': {end_of_life: next year}}", "releases.1.31.end_of_life & next year & 2026-12-31"),
        ("releases: {'1.31': {kubernetes: '1.32'}}", "kubernetes & 1.32 & 1.32-1.37"),
        ("bulletins: {CVE-2027-1: {published: 2027-01-05, affected: []}}", "CVE-2027-1 & ISTIO-SECURITY-2026-007"),
        ("bulletins: {ISTIO-SECURITY-2027-001: {published: 2027-01-05}}", "2027-001 & no affected"),
        (f"{BULLETIN}[{{fixed: 1.31.9}}]}}}}", "affected & from"),
        (f"{BULLETIN}[{{from: v1.31}}]}}}}", "from & v1.31 & 1.31.0"),
        ("registries: {docker.io/istio: {retired: 2030-01}}", "docker.io/istio & no replacement"),
        ("a: 1\n---\nb: 2", "2 YAML documents"),
    ],
)
def test_data_of_another_form_is_refused(text: str, facts: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_release_data([{"source": "releases.yml", "text": text}])
    assert has_facts(caught.value.message, f"releases.yml & {facts}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_release_data([str(tmp_path / "none.yml")])
    assert has_facts(caught.value.message, "release data & none.yml & not found")
