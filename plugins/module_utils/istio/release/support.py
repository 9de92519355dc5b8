# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a release: end of life, security bulletins, registries, and the Kubernetes versions that it supports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ...kube.errors import Refused
from .releases import KNOWN, ReleaseData
from .versions import minor_of, version_key

if TYPE_CHECKING:
    from ...kube.api.version import Version

Finding = dict[str, str]
"""code, level (warning or error), release, origin (what it is about), message, fix; fixed_in of a bulletin; reference."""


def check_kubernetes(istio: str, kubernetes: Version, data: ReleaseData = KNOWN) -> str | None:
    """Return a warning for a Kubernetes version newer than the release supports, None for a supported one.

    A release newer than the data counts as the newest one in it. Raises Refused for an older Kubernetes, and for a
    release older than the data.
    """
    if data.is_older(istio):
        raise Refused(
            f"Cannot install Istio {istio}: its requirements are not known, because it is older than {data.oldest_minor}."
            " Choose a newer Istio, or set ignore_version_check to true.",
            code="unknown_release",
            istio=istio,
        )
    supported = data.kubernetes(istio)
    if supported is None:
        return f"The Kubernetes versions that Istio {istio} supports are not known; this cluster runs Kubernetes {kubernetes}."
    oldest, newest = supported
    if (kubernetes.major, kubernetes.minor) < (1, oldest):
        raise Refused(
            f"Cannot install Istio {istio}: it supports Kubernetes 1.{oldest} to 1.{newest}, and this cluster runs"
            f" {kubernetes}. Upgrade the cluster, choose an older Istio, or set ignore_version_check to true.",
            code="unsupported_kubernetes",
            istio=istio,
            kubernetes=str(kubernetes),
            supported=f"1.{oldest} to 1.{newest}",
        )
    if (kubernetes.major, kubernetes.minor) > (1, newest):
        return (
            f"Istio {istio} supports Kubernetes 1.{oldest} to 1.{newest}; this cluster runs {kubernetes}, with which the"
            " release was not tested."
        )
    return None


def today() -> date:
    """Return the day of the check."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Support:
    """Checks releases. `security`: warn, strict or ignore. `days`: how long before the end of life to warn."""

    data: ReleaseData = KNOWN
    security: str = "warn"
    days: int = 30

    def findings(self, version: str, *, images: Iterable[str] = (), day: date | None = None) -> list[Finding]:
        """Return what is wrong with a release.

        images: those that an installation uses. day: the day of the check, by default today.
        """
        if self.security == "ignore" or len(minor_of(version)) < 2:
            return []
        day = day or today()
        return [
            *self._about_data(version),
            *self._about_end_of_life(version, day),
            *self._about_bulletins(version, day),
            *self._about_registries(version, images, day),
        ]

    @property
    def _severe(self) -> str:
        return "error" if self.security == "strict" else "warning"

    def _about_data(self, version: str) -> Iterator[Finding]:
        if self.data.is_newer(version):
            newest = self.data.newest_minor
            text = f"Istio {version} is newer than the known releases, and is treated like Istio {newest}."
            yield _finding("newer_release", "warning", version, text, "Upgrade this collection, or set release_data.")

    def _about_end_of_life(self, version: str, day: date) -> Iterator[Finding]:
        end = self.data.end_of_life(version)
        if end is None or end - day > timedelta(days=self.days):
            return
        row = self.data.row(version) or {}
        more = {"fix": self._upgrade(version, day), "reference": row["source"]}
        if end < day and not row["estimated"]:
            text = f"Istio {version} is out of support since {end} and gets no security fixes."
            yield _finding("end_of_life", self._severe, version, text, **more)
        else:
            when = f"{'ended' if end < day else 'ends'} {'about' if row['estimated'] else 'on'} {end}"
            text = f"The support of Istio {version} {when}."
            yield _finding("end_of_life_near", "warning", version, text, **more)

    def _about_bulletins(self, version: str, day: date) -> Iterator[Finding]:
        for one in self.data.advisories(version, day):
            text = f"Istio {version} is affected by {_named(one.number, one.fixed)}."
            found = _finding(
                "security_bulletin", self._severe, version, text, self._upgrade(version, day), reference=one.url
            )
            yield {**found, "origin": one.number, "fixed_in": one.fixed}

    def _about_registries(self, version: str, images: Iterable[str], day: date) -> Iterator[Finding]:
        for hub, row in dict(filter(None, map(self.data.retirement, images))).items():
            is_past = row["retired"] < f"{day:%Y-%m}"
            text = (
                f"The images of Istio {version} are in the registry {hub}, which {'was' if is_past else 'is'} retired in"
                f" {row['retired']}."
            )
            level = self._severe if is_past else "warning"
            fix = f"Set hub to {row['replacement']}, or use a mirror."
            yield {**_finding("retired_registry", level, version, text, fix, reference=row["source"]), "origin": hub}

    def _upgrade(self, version: str, day: date) -> str:
        """Return which releases to upgrade to: the newest patch if it is supported, else the newest supported ones."""
        newest = [one for one in self.data.supported(day) if version_key(one) > version_key(version)]
        same = [one for one in newest if minor_of(one) == minor_of(version)]
        wanted = same or newest[-2:]
        return f"Upgrade to {' or '.join(wanted)}." if wanted else "Upgrade to a supported release."


def refuse(findings: Sequence[Finding]) -> None:
    """Raise Refused if there are errors among the findings."""
    errors = [one for one in findings if one["level"] == "error"]
    if errors:
        raise Refused(
            f"Cannot install Istio {errors[0]['release']}: {' '.join(sentences(errors))} Or set security to warn.",
            code=errors[0]["code"],
            findings=[one["origin"] for one in errors],
        )


def sentences(findings: Iterable[Finding]) -> list[str]:
    """Return findings as text, with their remedies; all security bulletins of a release in one."""
    lines: dict[tuple[str, ...], list[Finding]] = {}
    for one in findings:
        bulletin = one["code"] == "security_bulletin"
        lines.setdefault((one["release"], "" if bulletin else one["message"]), []).append(one)
    return [f"{_joined(found)} {found[0]['fix']}" for found in lines.values()]


def _joined(findings: Sequence[Finding]) -> str:
    if len(findings) == 1:
        return findings[0]["message"]
    numbers = ", ".join(_named(one["origin"], one["fixed_in"]) for one in findings)
    return f"Istio {findings[0]['release']} is affected by {numbers}."


def _named(number: str, fixed: str) -> str:
    return f"{number} ({f'fixed in {fixed}' if fixed else 'not fixed in this minor version'})"


def _finding(code: str, level: str, version: str, message: str, fix: str, reference: str = "") -> Finding:
    known = {"reference": reference} if reference else {}
    return {
        "code": code,
        "level": level,
        "release": version,
        "origin": f"Istio {version}",
        "message": message,
        "fix": fix,
        **known,
    }
