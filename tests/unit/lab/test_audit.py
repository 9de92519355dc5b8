# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes are told from reads, dry runs and questions about rights, and counted by client and time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import audit
from lab.errors import LabError
from lab.paths import Lab

US = "meshops.istio/1.0.0"


def event(verb: str, resource: str = "configmaps", *, agent: str = US, uri: str = "/api", second: int = 0) -> str:
    line: dict[str, Any] = {
        "verb": verb,
        "userAgent": agent,
        "requestURI": uri,
        "requestReceivedTimestamp": f"2026-01-31T12:00:{second:02}.000000Z",
        "stageTimestamp": f"2026-01-31T12:00:{second:02}.500000Z",
        "objectRef": {"resource": resource, "namespace": "default", "name": "one"},
        "responseStatus": {"code": 200},
    }
    return json.dumps(line) + "\n"


def log(lab: Lab, *lines: str, name: str = "audit.log") -> None:
    lab.logs.mkdir(parents=True, exist_ok=True)
    (lab.logs / name).write_text("".join(lines))


def test_only_what_can_change_the_cluster_is_a_write(lab: Lab) -> None:
    log(
        lab,
        event("get"),
        event("watch"),
        event("create"),
        event("patch", uri="/api/v1/x?fieldManager=a&dryRun=All"),
        event("create", "selfsubjectaccessreviews"),
        event("create", "tokenreviews"),
        event("update"),
        event("patch"),
        event("delete"),
        event("deletecollection"),
    )
    verbs = [write.verb for write in audit.writes(lab, user_agent="meshops.istio")]
    assert verbs == ["create", "update", "patch", "delete", "deletecollection"]
    assert len(list(audit.requests(lab, user_agent="meshops.istio"))) == 10


def test_clients_are_told_apart_by_the_beginning_of_their_name(lab: Lab) -> None:
    log(lab, event("create"), event("create", agent="kubectl/v1 (for meshops.istio)"), event("create", agent=""))
    assert len(audit.writes(lab, user_agent="meshops.istio")) == 1
    assert len(audit.writes(lab, user_agent="kubectl")) == 1
    assert len(audit.writes(lab)) == 3


@pytest.mark.parametrize(
    "since", ["2026-01-31T12:00:01Z", "2026-01-31T12:00:01", "2026-01-31T13:00:01+01:00", "1769860801"]
)
def test_writes_are_counted_from_a_moment_on(lab: Lab, since: str) -> None:
    log(lab, event("create", second=0), event("create", second=1), event("create", second=2))
    assert len(audit.writes(lab, since=since)) == 2


def test_a_rotated_log_and_a_half_written_line_are_read(lab: Lab) -> None:
    log(lab, event("create"), name="audit-2026-01-31T11-59-00.000.log")
    log(lab, event("patch", second=1), event("delete", second=2)[:-20])
    assert [write.verb for write in audit.writes(lab)] == ["create", "patch"]


def test_bad_questions_get_one_sentence(lab: Lab) -> None:
    with pytest.raises(LabError, match="Lab mine has no audit log: start it with `make lab-up`"):
        audit.writes(lab)
    log(lab)
    with pytest.raises(LabError, match="yesterday is no time"):
        audit.writes(lab, since="yesterday")


def test_a_request_is_told_as_plain_data(lab: Lab) -> None:
    log(lab, event("patch"))
    assert audit.writes(lab)[0].as_dict() == {
        "time": "2026-01-31T12:00:00.000000Z",
        "answered": "2026-01-31T12:00:00.500000Z",
        "user_agent": US,
        "verb": "patch",
        "resource": "configmaps",
        "namespace": "default",
        "name": "one",
        "status": 200,
        "dry_run": False,
    }
