# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process is known again after its starter is gone, and never mistaken for another."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from lab import processes
from lab.files import write
from lab.paths import Lab
from lab.processes import Process, Record, boot_id, start_time


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def record(lab: Lab, name: str, **known: object) -> Record:
    path = lab.runtime / "pids" / f"{name}.json"
    write(path, json.dumps(known))
    return Record(path)


def test_a_running_process_is_known_by_id_start_and_boot(lab: Lab, sleeper: subprocess.Popen[bytes]) -> None:
    same = {"pid": sleeper.pid, "started": start_time(sleeper.pid), "boot": boot_id()}
    assert record(lab, "one", **same).pid() == sleeper.pid
    assert record(lab, "one", **{**same, "started": "1"}).pid() is None
    assert record(lab, "one", **{**same, "boot": "another"}).pid() is None
    assert processes.records(lab).keys() == {"one"}


def test_a_process_that_has_ended_is_not_running(lab: Lab, sleeper: subprocess.Popen[bytes]) -> None:
    known = record(lab, "one", pid=sleeper.pid, started=start_time(sleeper.pid), boot=boot_id())
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet buried
    assert known.pid() is None
    sleeper.wait()
    assert known.pid() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"started": ""}'])
def test_a_damaged_record_is_of_no_process(lab: Lab, text: str) -> None:
    path = lab.runtime / "pids" / "one.json"
    write(path, text)
    assert Record(path).pid() is None


def test_stopping_ends_our_own_process_only(lab: Lab, sleeper: subprocess.Popen[bytes]) -> None:
    process = Process(lab, "one", ["sleep", "600"], {})
    record(lab, "one", pid=sleeper.pid, started="1", boot=boot_id())
    process.stop()
    assert sleeper.poll() is None
    record(lab, "one", pid=sleeper.pid, started=start_time(sleeper.pid), boot=boot_id())
    process.stop()
    assert sleeper.wait(5) == -15


def test_a_process_with_other_inputs_is_not_current(lab: Lab, sleeper: subprocess.Popen[bytes]) -> None:
    configuration = lab.state / "one.yaml"
    write(configuration, "a: 1")
    process = Process(lab, "one", ["one", "--flag"], {"A": "1"}, [configuration])
    known = {"pid": sleeper.pid, "started": start_time(sleeper.pid), "boot": boot_id()}
    record(lab, "one", **known, inputs=process._inputs())
    assert process.current()
    assert not Process(lab, "one", ["one", "--other"], {"A": "1"}, [configuration]).current()
    assert not Process(lab, "one", ["one", "--flag"], {"A": "2"}, [configuration]).current()
    write(configuration, "a: 2")
    assert not process.current()
