# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out why an object is not ready: the states of its pods' containers, and the latest warning events."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import threads
from ..api.cluster import Cluster
from ..deadline import seconds_left
from ..errors import MeshError
from ..objects.conditions import condition, is_ready
from ..objects.objects import Key, Kind, Object
from .deletion_holders import Hold, hold_on
from .status_in_cluster import CLAIM, events_of, last_seen

POD, EVENT = Kind("v1", "Pod"), Kind("v1", "Event")

_MOST_EVENTS = 3
_WITH_PODS = frozenset(
    {"DaemonSet", "Deployment", "Job", "PodDisruptionBudget", "ReplicaSet", "Service", "StatefulSet"}
)
_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True)
class Diagnosis:
    """The causes as plain data.

    pods: {name, container (if known), reason, message, and for a crash exit_code, restarts} for each problem; events: the
    latest warnings as {object, reason, message, count, last_seen}; hold: what blocks the deletion of an object.
    """

    pods: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    hold: Hold | None = None

    def summary(self, known: str = "") -> str:
        """Return the first pod and warning as one phrase; empty if nothing was found that is not in `known`."""
        parts = [pod_phrase(pod) for pod in self.pods[:1]]
        known = " ".join([known, *(pod["message"] for pod in self.pods)])
        # Prefer the older event with the cause to BackOff.
        events = [event for event in self.events if event["message"] and event["message"].rstrip(".") not in known]
        events.sort(key=lambda event: event["reason"] == "BackOff")
        parts += [f"{event['object']}: {event['reason']}: {shorten(event['message'])}" for event in events[:1]]
        return "; ".join(parts)


def diagnose(cluster: Cluster, keys: Sequence[Key], *, within: float) -> dict[Key, Diagnosis]:
    """Return the causes for each of `keys` that were found `within` these seconds; ignore what cannot be read."""
    answers: queue.SimpleQueue[tuple[Key, Diagnosis]] = queue.SimpleQueue()

    def ask(key: Key) -> None:
        answers.put((key, _diagnosis(cluster, key)))

    for key in keys:
        threads.start(ask, key, name=f"diagnose {key.name}")
    found: dict[Key, Diagnosis] = {}
    ends = time.monotonic() + within
    while len(found) < len(keys):
        try:
            key, diagnosis = answers.get(timeout=seconds_left(ends))
        except queue.Empty:
            break
        found[key] = diagnosis
    return found


def shorten(text: str, length: int = 240) -> str:
    """Return a text on one line, without full stop, of at most `length` characters."""
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _diagnosis(cluster: Cluster, key: Key) -> Diagnosis:
    obj = _readable(lambda: cluster.get(key.of, key.name, key.namespace), None) or {}
    if obj and obj["metadata"].get("deletionTimestamp"):
        return Diagnosis(
            events=_events_about(cluster, key, obj, set(), set()),
            hold=_readable(lambda: hold_on(cluster, obj, lambda: pods_of(cluster, key, obj, ending=True)), None),
        )
    pods = pods_of(cluster, key, obj)
    problems = [problem for pod in pods for problem in _problems(pod)]
    # Ignore events of pods that are ready by now.
    blamed = {problem["name"] for problem in problems}
    claims = {claim for pod in pods if pod["metadata"]["name"] in blamed for claim in _claims(pod)}
    return Diagnosis(problems, _events_about(cluster, key, obj, blamed, claims))


def _events_about(cluster: Cluster, key: Key, obj: Object, pods: set[str], claims: set[str]) -> list[dict[str, Any]]:
    events = _readable(lambda: _events(cluster, key), list[dict[str, Any]]())
    return list(_latest([event for event in events if _concerns(event, key, obj, pods, claims)]))


def _events(cluster: Cluster, key: Key) -> list[dict[str, Any]]:
    if key.of == CLAIM:
        # What a claim waits for is reported in normal events.
        return events_of(cluster, key)
    # Events about cluster-scoped objects are in the namespace default.
    return cluster.list(EVENT, key.namespace or "default", field_selector="type=Warning")


def _readable(read: Callable[[], Any], otherwise: Any) -> Any:
    # An error here must not hide the failure to explain.
    try:
        return read()
    except MeshError:
        return otherwise


# --- pods ----------------------------------------------------------------------------------------------------------


def pods_of(cluster: Cluster, key: Key, obj: Object, *, ending: bool = False) -> list[dict[str, Any]]:
    """Return the pods of a workload, the newest first; a pod itself."""
    if key.of == POD:
        return [dict(obj)] if obj else []
    selector = _selector((obj.get("spec") or {}).get("selector")) if key.kind in _WITH_PODS else ""
    if not selector:
        return []
    pods: list[dict[str, Any]] = _readable(lambda: cluster.list(POD, key.namespace, label_selector=selector), [])
    # The newest first, because older ones may be of an old revision.
    pods = [pod for pod in pods if ending or not pod["metadata"].get("deletionTimestamp")]
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)


def _claims(pod: Object) -> Iterator[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield str(volume["persistentVolumeClaim"].get("claimName"))
        elif "ephemeral" in volume:
            yield f"{pod['metadata']['name']}-{volume.get('name')}"


def _selector(selector: Any) -> str:
    """Return the label selector of a query, from a workload's selector or a Service's map."""
    if not isinstance(selector, Mapping):
        return ""
    structured = "matchLabels" in selector or "matchExpressions" in selector
    labels = (selector.get("matchLabels") or {}) if structured else selector
    expressions = (selector.get("matchExpressions") or ()) if structured else ()
    return ",".join([*(f"{name}={value}" for name, value in labels.items()), *map(_expression, expressions)])


def _expression(one: Object) -> str:
    key, operator = one.get("key", ""), one.get("operator", "In")
    if operator in ("Exists", "DoesNotExist"):
        return f"{'!' if operator == 'DoesNotExist' else ''}{key}"
    return f"{key} {operator.lower()} ({','.join(one.get('values') or ())})"


def _problems(pod: Object) -> Iterator[dict[str, Any]]:
    status = pod.get("status") or {}
    if is_ready(pod) or status.get("phase") == "Succeeded":
        return
    found = list(container_problems(pod))
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        found.append({"reason": scheduled.get("reason") or "Unschedulable", "message": scheduled.get("message") or ""})
    if not found:
        reason = status.get("reason") or _starting(status) or status.get("phase") or "Pending"
        found.append({"reason": reason, "message": status.get("message") or ""})
    for problem in found:
        yield {"name": pod["metadata"]["name"], **problem}


def _starting(status: Object) -> str:
    states = (container.get("state") or {} for container in status.get("containerStatuses") or ())
    return next((state["waiting"].get("reason") or "" for state in states if state.get("waiting")), "")


def container_problems(pod: Object) -> Iterator[dict[str, Any]]:
    """Yield container, reason and message of each container that is not ready."""
    status, spec = pod.get("status") or {}, pod.get("spec") or {}
    # Only init containers with restartPolicy Always (sidecars) become ready.
    passing = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") != "Always"}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting and waiting.get("reason") not in _STARTING:
            last = (container.get("lastState") or {}).get("terminated") or {}
            yield _blame(container, waiting.get("reason"), waiting.get("message"), last)
        elif ended.get("exitCode"):
            yield _blame(container, ended.get("reason"), "", ended)
        elif "running" in state and container["name"] in passing:
            yield _blame(container, "Initializing", "this init container is still running", {})
        elif "running" in state and container.get("ready") is False:
            yield _blame(container, "NotReady", "running, but its readiness probe has not succeeded", {})


def _blame(container: Object, reason: str | None, message: str | None, ended: Object) -> dict[str, Any]:
    problem: dict[str, Any] = {"container": container["name"], "reason": reason or "Waiting", "message": message or ""}
    if ended:
        how = f"{ended.get('reason') or 'ended'}, exit code {ended.get('exitCode')}"
        last_words = f": {ended['message'].strip()}" if ended.get("message") else ""
        problem["message"] = f"last ended with {how}{last_words}"
        problem.update(exit_code=ended.get("exitCode"), restarts=container.get("restartCount", 0))
    return problem


def pod_phrase(problem: Object) -> str:
    """Return a problem of a pod as one phrase."""
    where = f"pod {problem['name']}" + (f", container {problem['container']}" if "container" in problem else "")
    message = shorten(problem["message"])
    return f"{where}: {problem['reason']}" + (f": {message}" if message else "")


# --- events --------------------------------------------------------------------------------------------------------


def _concerns(event: Object, key: Key, obj: Object, pods: set[str], claims: set[str]) -> bool:
    about = event.get("involvedObject") or {}
    kind, name = about.get("kind"), str(about.get("name", ""))
    if (kind == "Pod" and name in pods) or (kind == CLAIM.kind and name in claims):
        return True
    if key.kind == "Deployment" and kind == "ReplicaSet":
        return name.rpartition("-")[0] == key.name
    if (kind, name) != (key.kind, key.name):
        return False
    # Ignore events of an earlier object of the same name.
    uid = (obj.get("metadata") or {}).get("uid")
    return not uid or not about.get("uid") or bool(about["uid"] == uid)


def _latest(events: Iterable[Object]) -> Iterator[dict[str, Any]]:
    seen: set[tuple[Any, Any]] = set()
    for event in sorted(events, key=last_seen, reverse=True):
        content = (event.get("reason"), event.get("message"))
        if content in seen:
            continue
        seen.add(content)
        about = event.get("involvedObject") or {}
        yield {
            "object": f"{about.get('kind')} {about.get('name')}",
            "reason": event.get("reason") or "",
            "message": event.get("message") or "",
            "count": event.get("count") or (event.get("series") or {}).get("count") or 1,
            "last_seen": last_seen(event),
        }
        if len(seen) == _MOST_EVENTS:
            return
