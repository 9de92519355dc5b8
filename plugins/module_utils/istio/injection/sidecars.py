# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find pods with a missing or outdated sidecar, and the workloads to restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ...kube.objects.kinds import NAMESPACE, POD
from ...kube.objects.objects import Kind, Object
from ...kube.wait.rollouts import is_restart_incomplete, newest_revision
from ...kube.wait.rollouts import revision_of as template_revision
from ...kube.wait.status import status
from ..model import labels
from ..model.labels import labels_of
from ..model.proxies import has_ended, has_sidecar, is_injected, proxy_of, proxy_version, revision_of, version_of
from .injectors import Injectors

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Entry = TypeVar("Entry")

RESTARTABLE = {kind: Kind("apps/v1", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet")}

MANAGER = "meshops.istio/restart"
"""The field manager that restarts workloads."""

DESCRIBING = ("app", "version")
"""Labels by which Kiali and the mesh's metrics distinguish workloads."""

_AMBIENT = "istio.io/dataplane-mode"
_FEW = 3
"""Up to this number namespaces are listed one by one; for more, all namespaces are listed at once."""


@dataclass
class Workload:
    """An owner of pods. `reason`: why it cannot be restarted, if so.

    missing, outdated: its pods without a sidecar, and with one that new pods would not get. other_revision: those of the
    outdated ones whose sidecar is of another revision than the namespace's.
    faults: the faults of its pods, by revision of the workload.
    newest: the newest revision while its rollout is in progress; `progress`: the status of the rollout.
    """

    kind: str
    namespace: str
    name: str
    missing: int = 0
    outdated: int = 0
    other_revision: int = 0
    reason: str = ""
    faults: dict[str, set[str]] = field(default_factory=dict)
    newest: str | None = None
    progress: str = ""

    @property
    def restartable(self) -> bool:
        """True if a restart replaces all its pods."""
        return not self.reason

    def rolls_out(self, *, outdated: bool) -> bool:
        """Return whether a rollout in progress already replaces the faulty pods, so that no restart is needed.

        `outdated`: a proxy of another version counts as a fault as well.
        """
        concerned = {"missing", "other_revision", *(("outdated",) if outdated else ())}
        return self.newest is not None and not self.faults.get(self.newest, set()) & concerned

    def as_dict(self) -> dict[str, Any]:
        """Return the workload as plain data."""
        return {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "missing": self.missing,
            "outdated": self.outdated,
            "other_revision": self.other_revision,
            "restartable": self.restartable,
            "reason": self.reason,
            "rolling_out": self.rolls_out(outdated=not (self.missing or self.other_revision)),
            "progress": self.progress,
        }


@dataclass
class Unlabelled:
    """An owner of pods in the mesh without the labels by which Kiali distinguishes applications and versions."""

    kind: str
    namespace: str
    name: str
    labels: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return the workload as plain data."""
        return dict(vars(self))


@dataclass
class NamespaceState:
    """A namespace's labels, and the numbers of its running pods with and without the sidecar that they should have.

    outdated, other_revision: pods with a sidecar that new pods would not get, as for Workload.
    """

    name: str
    injection: str
    revision: str
    injector: str
    pods: int = 0
    with_sidecar: int = 0
    without_sidecar: int = 0
    outdated: int = 0
    other_revision: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return dict(vars(self))


@dataclass
class State:
    """The sidecars of some namespaces; lists only workloads with missing or outdated sidecars.

    outside: kind and namespace of workloads without a sidecar, which would be restarted (pods without a controller:
    recreated) if they were to have one.
    restarted: workloads without such pods that were restarted for their sidecars and are not ready yet.
    """

    namespaces: list[NamespaceState] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    unlabelled: list[Unlabelled] = field(default_factory=list)
    outside: set[tuple[str, str]] = field(default_factory=set)
    restarted: list[Workload] = field(default_factory=list)


def read_state(cluster: Cluster, namespaces: Sequence[str] | None = None) -> State:
    """Read the state of the named namespaces, or of all. Ignores namespaces that are not found."""
    wanted = None if namespaces is None else set(namespaces)
    places = [""] if wanted is None or len(wanted) > _FEW else sorted(wanted)
    kinds = (POD, *RESTARTABLE.values())
    lists = cluster.list_many([(NAMESPACE, "", ""), *((kind, place, "") for place in places for kind in kinds)])
    found, objects = lists[0], [obj for one in lists[1:] for obj in one]
    chosen = [one for one in found if wanted is None or one["metadata"]["name"] in wanted]
    pods = [obj for obj in objects if obj["kind"] == "Pod"]
    owners = [obj for obj in objects if obj["kind"] != "Pod"]
    state = state_of(Injectors.read(cluster), chosen, pods, owners)
    _read_rollouts(cluster, state.workloads, owners)
    state.restarted += _not_up(state, owners)
    return state


def _read_rollouts(cluster: Cluster, workloads: Iterable[Workload], owners: Iterable[Object]) -> None:
    """Read the rollouts in progress of workloads that would be restarted."""
    known = {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in owners}
    restartable = [one for one in workloads if one.restartable]
    found = [known[one.kind, one.namespace, one.name] for one in restartable]
    newest = cluster.parallel(lambda owner: newest_revision(cluster, owner), found)
    for workload, owner, revision in zip(restartable, found, newest, strict=True):
        workload.newest = revision
        workload.progress = status(owner).message if revision is not None else ""


def _not_up(state: State, owners: Iterable[Object]) -> Iterator[Workload]:
    """Yield workloads that were restarted and are not ready, except those listed for their pods."""
    places = {one.name for one in state.namespaces}
    known = {(one.kind, one.namespace, one.name) for one in state.workloads}
    for owner in owners:
        key = (owner["kind"], owner["metadata"]["namespace"], owner["metadata"]["name"])
        if (
            key in known
            or key[1] not in places
            or not_restartable(key, owner)
            or not is_restart_incomplete(owner, MANAGER)
        ):
            continue
        yield Workload(*key, progress=status(owner).message)


def state_of(
    injectors: Injectors, namespaces: Iterable[Object], pods: Iterable[Object], owners: Iterable[Object]
) -> State:
    """Return the state of `namespaces`, from their pods, Deployments, StatefulSets and DaemonSets."""
    known = {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in owners}
    by_name = {one["metadata"]["name"]: one for one in namespaces}
    states = {name: _described(one, injectors) for name, one in sorted(by_name.items())}
    workloads: dict[tuple[str, str, str], Workload] = {}
    unlabelled: dict[tuple[str, str, str], Unlabelled] = {}
    outside: set[tuple[str, str]] = set()
    for pod in pods:
        namespace = by_name.get(pod["metadata"].get("namespace", ""))
        if namespace is None or has_ended(pod):
            continue
        state = states[namespace["metadata"]["name"]]
        state.pods += 1
        key = owner_of(pod)
        fault = _fault(injectors, namespace, pod, known.get(key))
        state.with_sidecar += has_sidecar(pod)
        without = [name for name in DESCRIBING if name not in labels_of(pod)]
        if without and (has_sidecar(pod) or fault == "missing"):
            unlabelled[key] = Unlabelled(*key, without)
        if fault is None:
            if proxy_of(pod) is None and (key[0] == POD.kind or not not_restartable(key, known.get(key))):
                outside.add(key[:2])
            continue
        faults = {"outdated", fault} if fault == "other_revision" else {fault}
        state.without_sidecar += "missing" in faults
        state.outdated += "outdated" in faults
        state.other_revision += "other_revision" in faults
        workload = workloads.setdefault(key, Workload(*key, reason=not_restartable(key, known.get(key))))
        for one in faults:
            setattr(workload, one, getattr(workload, one) + 1)
        workload.faults.setdefault(template_revision(key[0], pod), set()).update(faults)
    return State(list(states.values()), _in_order(workloads), _in_order(unlabelled), outside)


def _in_order(found: Mapping[tuple[str, str, str], Entry]) -> list[Entry]:
    """Sort by namespace, name and kind."""
    return [found[key] for key in sorted(found, key=lambda key: key[1:] + key[:1])]


def owner_of(pod: Object) -> tuple[str, str, str]:
    """Return kind, namespace and name of the workload to restart so that the pod is replaced."""
    metadata = pod["metadata"]
    namespace = metadata.get("namespace", "")
    for reference in metadata.get("ownerReferences") or ():
        if not reference.get("controller"):
            continue
        kind, name = reference.get("kind", ""), reference.get("name", "")
        generated = f"-{labels_of(pod).get('pod-template-hash', '')}"
        # The name of a ReplicaSet is that of its Deployment and the hash in the label of its pods.
        if kind == "ReplicaSet" and len(generated) > 1 and name.endswith(generated):
            return "Deployment", namespace, name.removesuffix(generated)
        return kind, namespace, name
    return POD.kind, namespace, metadata["name"]


def _fault(injectors: Injectors, namespace: Object, pod: Object, owner: Object | None) -> str | None:
    injector = injectors.of_pod(namespace, pod)
    if injector is None:
        return "outdated" if is_injected(pod) and not _template_has_proxy(owner) else None
    if proxy_of(pod) is None:
        return "missing"
    if not is_injected(pod):
        return None
    revision, version, current = revision_of(pod), proxy_version(pod), version_of(injector.image)
    if revision and revision != injector.revision:
        return "other_revision"
    chosen = "sidecar.istio.io/proxyImage" in (pod["metadata"].get("annotations") or {})
    return "outdated" if version and current and version != current and not chosen else None


def _template_has_proxy(owner: Object | None) -> bool:
    """Return whether the pod template has a proxy itself, as after `istioctl kube-inject`."""
    template = ((owner or {}).get("spec") or {}).get("template") or {}
    return proxy_of(template) is not None


def not_restartable(key: tuple[str, str, str], owner: Object | None) -> str:
    """Return why a restart of the pods' owner is not possible, or would not replace them; empty if it would."""
    kind = key[0]
    if kind == POD.kind:
        return "it is a pod without a controller; delete and create it yourself, or set recreate_pods to true"
    if kind in ("Job", "CronJob"):
        return "it is a Job, which runs to completion; its next run gets the sidecar"
    if kind not in RESTARTABLE:
        return f"its kind {kind} is not supported; restart it by the means of its controller"
    if owner is None:
        return f"{kind} {key[1]}/{key[2]} was not found"
    spec = owner.get("spec") or {}
    if spec.get("paused"):
        return "its rollout is paused; resume the rollout to replace its pods"
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return "its update strategy is OnDelete; delete its pods yourself"
    if kind == "StatefulSet" and (strategy.get("rollingUpdate") or {}).get("partition"):
        return "its update strategy has a partition, so that the pods below it are not replaced"
    return ""


def _described(namespace: Object, injectors: Injectors) -> NamespaceState:
    own = labels_of(namespace)
    injection = own.get("istio-injection", "")
    if injection not in ("enabled", "disabled"):
        injection = "revision" if own.get(labels.REVISION) else own.get(_AMBIENT, "") or "none"
    return NamespaceState(
        name=namespace["metadata"]["name"],
        injection=injection,
        revision=own.get(labels.REVISION, ""),
        injector=injectors.of_namespace(namespace) or "",
    )
