# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that need one another: in which order they are run, how many at once, and what a failure stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.schedule import Step, run_steps

LONG = 30.0
"""Seconds that no test gets to see."""


class Diary:
    """Notes which steps were run, in their order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._lock = threading.Lock()

    def step(self, name: str, *needs: str, order: int = 0, passive: bool = False) -> Step:
        def note() -> None:
            with self._lock:
                self.names.append(name)

        return Step(name, note, order=order, needs=set(needs), passive=passive)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def failing(name: str, *needs: str, after: Callable[[], object] = lambda: None) -> Step:
    def fail() -> None:
        after()
        raise RuntimeError(name)

    return Step(name, fail, needs=set(needs))


def test_a_step_comes_after_what_it_needs(diary: Diary) -> None:
    run_steps([diary.step("c", "b"), diary.step("b", "a"), diary.step("d", "a", "c"), diary.step("a")], workers=4)
    assert diary.names == ["a", "b", "c", "d"]


def test_of_what_is_ready_the_low_goes_first(diary: Diary) -> None:
    steps = [
        diary.step("late", order=2),
        diary.step("first", order=0),
        diary.step("urgent", "first", order=-1),
        diary.step("one", order=1),
        diary.step("two", order=1),
    ]
    run_steps(steps, workers=1)
    assert diary.names == ["first", "urgent", "one", "two", "late"]


def test_needs_that_nobody_offers_are_met(diary: Diary) -> None:
    run_steps([diary.step("a", "somewhere else")], workers=1)
    assert diary.names == ["a"]


def test_nothing_to_do() -> None:
    run_steps([], workers=1)


def test_as_many_as_there_are_workers_at_once() -> None:
    at_once = threading.Barrier(3)
    most, running, lock = 0, 0, threading.Lock()

    def run() -> None:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        at_once.wait(LONG)  # nobody passes before three have come
        with lock:
            running -= 1

    run_steps([Step(number, run) for number in range(9)], workers=3)
    assert most == 3


def test_who_only_waits_takes_no_worker() -> None:
    opened = threading.Event()
    steps = [
        *(Step(f"gate {number}", lambda: _expect(opened), passive=True) for number in range(4)),
        Step("opens", opened.set, order=9),
        Step("behind", lambda: None, needs={"gate 0"}),
    ]
    run_steps(steps, workers=1)


def _expect(event: threading.Event) -> None:
    assert event.wait(LONG)


def test_those_who_are_done_are_told(diary: Diary) -> None:
    told: list[object] = []
    thread: set[threading.Thread] = set()

    def done(step: Step) -> None:
        told.append(step.name)
        thread.add(threading.current_thread())

    with pytest.raises(RuntimeError):
        run_steps([diary.step("a"), diary.step("b", "a"), failing("c", "b")], workers=2, done=done)
    assert told == ["a", "b"]
    assert thread == {threading.current_thread()}


def test_after_a_failure_nothing_is_begun(diary: Diary) -> None:
    ready = [diary.step(f"ready {number}", order=1) for number in range(50)]
    with pytest.raises(RuntimeError, match="broken"):
        run_steps([failing("broken"), diary.step("behind", "broken"), *ready], workers=1)
    assert diary.names == []


def test_what_has_begun_is_ended_before_the_failure_is_raised() -> None:
    begun, failed, ended = threading.Event(), threading.Event(), []

    def slow() -> None:
        begun.set()
        _expect(failed)
        ended.append("slow")

    def after() -> None:
        _expect(begun)
        failed.set()

    with pytest.raises(RuntimeError):
        run_steps([Step("slow", slow), failing("broken", after=after)], workers=2)
    assert ended == ["slow"]


def test_the_first_failure_is_raised() -> None:
    first = threading.Event()
    steps = [failing("one", after=first.set), failing("two", after=lambda: _expect(first))]
    with pytest.raises(RuntimeError, match="one"):
        run_steps(steps, workers=2)


def test_a_failure_is_not_held_back_by_who_only_waits() -> None:
    never = threading.Event()
    try:
        with pytest.raises(RuntimeError, match="broken"):
            run_steps([Step("gate", lambda: _expect(never), passive=True), failing("broken")], workers=1)
    finally:
        never.set()


def test_a_wait_that_fails_stops_the_rest(diary: Diary) -> None:
    gate = failing("gate")
    gate.passive = True
    with pytest.raises(RuntimeError, match="gate"):
        run_steps([gate, diary.step("behind", "gate")], workers=1)
    assert diary.names == []


def test_a_cycle_of_steps_is_an_error(diary: Diary) -> None:
    with pytest.raises(ValueError, match="these steps wait for each other: a, b"):
        run_steps([diary.step("a", "b"), diary.step("b", "a"), diary.step("c")], workers=2)
    assert diary.names == ["c"]
