# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revision tag as one unit: the objects that `istioctl tag set` would create, and the checks before a change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...kube.errors import InvalidInput, Refused
from ...kube.objects.kinds import MUTATING_WEBHOOK_CONFIGURATION
from ...kube.objects.objects import Kind, Object, key_of
from ...kube.plan.change import clean
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..injection.injector_conflicts import refuse_overlap
from ..injection.injectors import Injectors
from ..model import labels
from ..model.labels import labels_of
from ..model.ownership import MANAGER, PREVIOUS_MANAGERS, PREVIOUS_OWNERS, TAG_MANAGER
from ..model.proxies import has_ended, is_injected
from . import tag_objects
from .dead_webhooks import has_endpoint
from .render import Renderer
from .runtime_fields import MeshRuntimeFields

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

_NAMES = re.compile(r"[a-z0-9]([a-z0-9-]{0,41}[a-z0-9])?")
_OBJECTS = (
    MUTATING_WEBHOOK_CONFIGURATION,
    Kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    Kind("v1", "Service"),
)
_NAMESPACES, _PODS = Kind("v1", "Namespace"), Kind("v1", "Pod")


class RevisionTag:
    """One tag of a cluster.

    Raises InvalidInput for an invalid name.
    """

    def __init__(self, cluster: Cluster, name: str, namespace: str) -> None:
        if not _NAMES.fullmatch(name):
            raise InvalidInput(
                f"The tag '{name}' is invalid: it must consist of at most 43 lower case letters, digits and '-'.",
                name=name,
            )
        self.cluster, self.name, self.namespace = cluster, name, namespace
        found = [
            one
            for one in cluster.list(MUTATING_WEBHOOK_CONFIGURATION, label_selector=labels.REVISION)
            if tag_objects.injects(one)
        ]
        self._injectors = {labels_of(one)[labels.REVISION]: one for one in found if labels.TAG not in labels_of(one)}
        pointing = (one for one in found if labels_of(one).get(labels.TAG) == name)
        self.revision = next((labels_of(one)[labels.REVISION] for one in pointing), "")
        """The revision that it points at, empty if there is no such tag."""

    def injector_of(self, revision: str) -> Object | None:
        """Return the injector of a revision, None if there is no such revision."""
        return self._injectors.get(revision)

    def refuse(self, revision: str, *, assumed: bool = False) -> None:
        """Raise Refused if the revision is not found (and not `assumed`), or a revision has the name of the tag."""
        if revision not in self._injectors and not assumed:
            known = ", ".join(sorted(self._injectors)) or "none"
            raise Refused(
                f"Cannot set the tag {self.name}: revision {revision} not found in the cluster, which has {known}. Install"
                " the revision first.",
                code="revision_missing",
                revisions=sorted(self._injectors),
            )
        if self.name in self._injectors and self.name != tag_objects.DEFAULT:
            raise Refused(
                f"Cannot set the tag {self.name}: a revision of this name already exists. Choose another name.",
                code="name_taken",
            )

    def pointing_at(
        self, injector: Object, renderer: Renderer, *, inject_by_default: bool = False, assumed: bool = False
    ) -> Unit:
        """Return the desired state of the tag, pointing at the revision of `injector`.

        `assumed`: the revision and its namespace may not exist yet.
        """
        objects = tag_objects.tag_objects(
            renderer,
            self.name,
            injector,
            namespace=self.namespace,
            inject_by_default=inject_by_default,
            of_user=True,
        )
        previous = (PREVIOUS_MANAGERS | {MANAGER}) - {TAG_MANAGER}
        objects += self._deactivated_injector()
        return Unit(
            manager=TAG_MANAGER,
            objects=objects,
            previous_managers=previous,
            previous_owners=PREVIOUS_OWNERS,
            stale=lambda cluster: of_tag(cluster, self.name),
            previous=previous,
            adjust=MeshRuntimeFields(previous | {TAG_MANAGER}, lambda: self._is_served(injector)),
            assumed=frozenset({self.namespace} if assumed else ()),
        )

    def removed(self) -> Unit:
        """Return the desired state without the tag."""
        return Unit(
            manager=TAG_MANAGER,
            objects=(),
            stale=lambda cluster: of_tag(cluster, self.name),
            previous=PREVIOUS_MANAGERS | {MANAGER},
            previous_owners=PREVIOUS_OWNERS,
        )

    def check(self, plan: Plan) -> None:
        """Raise Refused for a plan after which two injectors would inject the same pods."""
        refuse_overlap(self.cluster, plan)

    def refuse_in_use(self, plan: Plan) -> None:
        """Raise Refused for a plan that removes the tag while namespaces or pods use it."""
        if not plan.changes:
            return
        users = self.users()
        if users:
            raise Refused(
                f"Cannot remove the tag {self.name}: it is in use by {', '.join(users[:10])}"
                f"{f' and {len(users) - 10} others' if len(users) > 10 else ''}, whose new pods would get no sidecar."
                " Label them for another revision or tag first, or set force to true.",
                code="in_use",
                users=users,
            )

    def users(self) -> list[str]:
        """Return the namespaces, and the pods with an injected proxy, that are labelled with the tag."""
        selector = f"{labels.REVISION}={self.name}"
        namespaces, pods = self.cluster.list_many([(_NAMESPACES, "", selector), (_PODS, "", selector)])
        if self.name == tag_objects.DEFAULT:
            injectors = Injectors.read(self.cluster)
            enabled = self.cluster.list(_NAMESPACES, label_selector="istio-injection=enabled")
            namespaces += [one for one in enabled if injectors.of_namespace(one) is not None]
        using = [*namespaces, *(pod for pod in pods if is_injected(pod) and not has_ended(pod))]
        return sorted({str(key_of(one)) for one in using})

    def _deactivated_injector(self) -> list[Object]:
        """Return the default revision's injector, deactivated, because the tag `default` replaces it."""
        own = self._injectors.get(tag_objects.DEFAULT)
        if self.name != tag_objects.DEFAULT or own is None or tag_objects.is_deactivated(own):
            return []
        return [tag_objects.deactivated(clean(own) or {})]

    def _is_served(self, injector: Mapping[str, Any]) -> bool:
        service = tag_objects.service_of(injector)
        return service is not None and has_endpoint(self.cluster, *service)


def of_tag(cluster: Cluster, name: str) -> Iterable[Object]:
    """List the objects with the label of a tag."""
    lists = cluster.list_many([(kind, "", f"{labels.TAG}={name}") for kind in _OBJECTS])
    return [obj for objects in lists for obj in objects]
