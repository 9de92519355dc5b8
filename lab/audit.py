# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who wrote what: the API server's audit log, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from .components import AUDIT_LOG
from .errors import LabError
from .paths import Lab

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Request:
    """One request that the API server has answered; `time` is when it came, `answered` when it was done."""

    time: str
    user_agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    status: int
    dry_run: bool
    answered: str = ""

    @property
    def is_write(self) -> bool:
        """Whether it could change the cluster: neither a read, nor a dry run, nor a question about rights."""
        return self.verb in WRITES and not self.dry_run and not self.resource.endswith("reviews")

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def requests(lab: Lab, *, user_agent: str = "", since: str = "") -> Iterator[Request]:
    """Requests, the oldest first, whose User-Agent begins with `user_agent`, from the moment `since` (RFC 3339) on.

    Reads of the node's own components are not in the log; everything else is, refused requests too.
    """
    start = moment(since) if since else None
    # A rotated log carries its time in its name, so that names sort by age and the current one comes last.
    files = [*sorted(lab.logs.glob("audit-*.log")), lab.logs / AUDIT_LOG]
    if not files[-1].exists():
        raise LabError(f"Lab {lab.name} has no audit log: start it with `make lab-up`.")
    for path in files:
        with path.open() as lines:
            for line in lines:
                if user_agent not in line:
                    continue  # cheaper than parsing, and most lines are of others
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # the last line may be half written
                request = _request(event)
                if request.user_agent.startswith(user_agent) and (start is None or moment(request.time) >= start):
                    yield request


def writes(lab: Lab, *, user_agent: str = "", since: str = "") -> list[Request]:
    """The writes among the requests."""
    return [request for request in requests(lab, user_agent=user_agent, since=since) if request.is_write]


def moment(text: str) -> datetime:
    """A time as RFC 3339 or seconds since the epoch; without a zone it is UTC."""
    try:
        if text.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(text), UTC)
        parsed = datetime.fromisoformat(text)
    except ValueError as e:
        raise LabError(f"{text} is no time: give it like 2026-01-31T12:00:00Z or as seconds since 1970.") from e
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _request(event: dict[str, object]) -> Request:
    reference = event.get("objectRef")
    what = reference if isinstance(reference, dict) else {}
    response = event.get("responseStatus")
    status = response.get("code", 0) if isinstance(response, dict) else 0
    resource = "/".join(part for part in (what.get("resource", ""), what.get("subresource", "")) if part)
    return Request(
        time=str(event.get("requestReceivedTimestamp", "")),
        user_agent=str(event.get("userAgent", "")),
        verb=str(event.get("verb", "")),
        resource=resource,
        namespace=what.get("namespace", ""),
        name=what.get("name", ""),
        status=status,
        dry_run="dryRun" in parse_qs(urlsplit(str(event.get("requestURI", ""))).query),
        answered=str(event.get("stageTimestamp", "")),
    )
