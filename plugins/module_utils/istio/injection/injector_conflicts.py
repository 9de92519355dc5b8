# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse plans after which two injectors would inject the same pod, which breaks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from ...kube.errors import Refused
from ...kube.objects.kinds import MUTATING_WEBHOOK_CONFIGURATION
from ...kube.objects.objects import Object
from ...kube.objects.selectors import matches
from ...kube.plan.plan import Plan
from ..model import labels
from ..model.labels import labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

Labels = dict[str, str]


def refuse_overlap(cluster: Cluster, plan: Plan) -> None:
    """Raise Refused for a plan after which one of its injectors would overlap with another."""
    changed = {change.key.name: change for change in plan.changes if change.key.of == MUTATING_WEBHOOK_CONFIGURATION}
    if not changed:
        return
    after = {one["metadata"]["name"]: one for one in cluster.list(MUTATING_WEBHOOK_CONFIGURATION)}
    for name, change in changed.items():
        if change.after is None:
            after.pop(name, None)
        else:
            after[name] = change.after
    ours = {obj["metadata"]["name"] for obj in plan.objects if obj["kind"] == MUTATING_WEBHOOK_CONFIGURATION.kind}
    for one, other, sample in overlaps(after.values()):
        if one in ours or other in ours:
            raise Refused(
                f"MutatingWebhookConfiguration {one} and {other} conflict: both would inject pods {sample}. Delete the one"
                " that is no longer used, or set force to true.",
                code="overlapping_injectors",
                webhooks=[one, other],
            )


def overlaps(configurations: Iterable[Object]) -> Iterator[tuple[str, str, str]]:
    """Yield pairs of injectors that select the same pod, with a description of the pod."""
    injectors = [one for one in configurations if _is_injector(one)]
    revisions = sorted({name for one in injectors for name in _revisions(one)})
    namespaces = _samples("istio-injection", ("enabled", "disabled"), revisions)
    pods = _samples("sidecar.istio.io/inject", ("true", "false"), revisions)
    for namespace, pod in product(namespaces, pods):
        called = sorted(
            one["metadata"]["name"]
            for one in injectors
            for webhook in one.get("webhooks") or ()
            if matches(webhook.get("namespaceSelector"), namespace) and matches(webhook.get("objectSelector"), pod)
        )
        if len(called) > 1:
            yield called[0], called[1], f"{_text(pod)} in namespaces {_text(namespace)}"


def _is_injector(configuration: Object) -> bool:
    webhooks = configuration.get("webhooks") or ()
    return labels.REVISION in labels_of(configuration) or any(one["name"].endswith("istio.io") for one in webhooks)


def _samples(label: str, values: Iterable[str], revisions: Iterable[str]) -> list[Labels]:
    """Return every combination that selectors can distinguish: one value or none, one revision or none."""
    own: list[Labels] = [{}, *({label: value} for value in values)]
    named: list[Labels] = [{}, *({labels.REVISION: name} for name in revisions)]
    return [{**one, **other} for one, other in product(own, named)]


def _revisions(configuration: Object) -> Iterator[str]:
    if labels.REVISION in labels_of(configuration):
        yield labels_of(configuration)[labels.REVISION]
    for webhook in configuration.get("webhooks") or ():
        for selector in (webhook.get("namespaceSelector") or {}, webhook.get("objectSelector") or {}):
            for expression in selector.get("matchExpressions") or ():
                if expression.get("key") == labels.REVISION:
                    yield from expression.get("values") or ()


def _text(sample: Labels) -> str:
    return "labelled " + ", ".join(f"{key}={value}" for key, value in sample.items()) if sample else "without labels"
