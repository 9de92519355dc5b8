# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A revision of Istio's control plane: the objects that `istioctl install` would create, as one unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...kube.errors import InvalidInput
from ...kube.objects.kinds import CUSTOM_RESOURCE_DEFINITION, MUTATING_WEBHOOK_CONFIGURATION
from ...kube.objects.objects import Key, Object, key_of
from ...kube.plan.plan import Plan
from ...kube.plan.unit import Unit
from ..gateways.service import apply_ingress
from ..injection.injector_conflicts import refuse_overlap
from ..model import labels
from ..model.gateway_workloads import gateways_of
from ..model.kinds import is_awaited
from ..model.labels import component_of, labels_of, owner_labels
from ..model.ownership import (
    INSTALLERS,
    MANAGER,
    PREVIOUS_MANAGERS,
    PREVIOUS_OWNERS,
    refuse_claimed_gateways,
    refuse_missing_namespaces,
)
from ..release.release import Release
from ..release.versions import version_key
from . import helm, install_order, installed_objects, tag_objects
from .configuration import Configuration, Options
from .dead_webhooks import has_endpoint, left_over, refuse_left_over
from .install_warnings import network_settings, pruned_of_others, unmatched_patches
from .mesh_config import providers_in
from .render import Renderer
from .runtime_fields import MeshRuntimeFields
from .unknown_fields import Unknown
from .unserved_apis import refuse_unserved
from .warnings import warnings

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster


class BaseOwner(NamedTuple):
    """The revision that last installed the objects of the component Base."""

    revision: str
    version: str
    namespace: str


@dataclass(frozen=True)
class ClusterState:
    """The objects in the cluster that decide what a revision may install.

    default_tag: the revision that the default tag points at, None if there is no such tag.
    tag_is_set: the default tag was set by `istioctl tag set` or by `revision_tag`, not by an installation.
    helm_gateways: the gateways, as namespace and name, that Helm manages, and that are not changed.
    base: the owner of the objects that all revisions share (such as CRDs), None if there are none.
    """

    default_tag: str | None = None
    tag_is_set: bool = False
    base: BaseOwner | None = None
    helm_gateways: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def read(cls, cluster: Cluster) -> ClusterState:
        """Read the state of the cluster; three requests."""
        found = cluster.list(
            MUTATING_WEBHOOK_CONFIGURATION, label_selector=f"app=sidecar-injector,{labels.TAG}={tag_objects.DEFAULT}"
        )
        tag = found[0] if found else None
        shared = cluster.get(CUSTOM_RESOURCE_DEFINITION, "gateways.networking.istio.io")
        own = labels_of(shared) if shared else {}
        return cls(
            default_tag=labels_of(tag).get(labels.REVISION) if tag else None,
            # Tags of an installation are labelled as managed; those of `istioctl tag set` are not.
            tag_is_set=tag is not None and labels.MANAGED not in labels_of(tag),
            base=BaseOwner(own[labels.REVISION], own[labels.VERSION], own.get(labels.OWNER_NAMESPACE, ""))
            if labels.REVISION in own and labels.VERSION in own
            else None,
            helm_gateways=helm.gateways(cluster),
        )


class ControlPlane:
    """One revision of a release, with `options`.

    Without a cluster it is rendered for the oldest Kubernetes that the release supports, and for an empty cluster.
    Every property may raise InvalidInput for invalid options.
    """

    def __init__(
        self, release: Release, options: Options, cluster: Cluster | None = None, *, cache_dir: str | None = None
    ) -> None:
        self.release = release
        self.options = options
        self.cluster = cluster
        self.configuration = Configuration(options, release)
        self._renderer = Renderer(release, cluster, cache_dir)

    @property
    def revision(self) -> str:
        """The revision's name, `default` if it has none."""
        return self.configuration.revision or tag_objects.DEFAULT

    @property
    def namespace(self) -> str:
        """The namespace of the control plane."""
        return self.configuration.namespace

    @cached_property
    def rendered(self) -> list[Object]:
        """The components' objects, with the owner labels and the user's ingress settings."""
        objects = self._renderer.render(self.configuration.overlays, self.configuration.sets)
        for obj in objects:
            component = component_of(obj)
            obj["metadata"]["labels"] = {**labels_of(obj), **self._owner_labels(component)}
        apply_ingress(objects, self.options.ingress)
        return objects

    @property
    def injector(self) -> Object:
        """The injector's webhook configuration. Raises InvalidInput if the configuration has none."""
        found = tag_objects.injector_of(self.rendered)
        if found is None:
            raise InvalidInput(
                f"Cannot use revision {self.revision} for injection: its configuration has no"
                " MutatingWebhookConfiguration. Enable the component pilot."
            )
        return found

    @property
    def unknown_fields(self) -> list[Unknown]:
        """The fields of the configuration that istioctl accepts without knowing them."""
        configuration = self.configuration
        return self._renderer.unknown_fields(configuration.overlays, configuration.sets, configuration.merged)

    @property
    def gateways(self) -> list[dict[str, str]]:
        """The gateways of this revision as name, namespace, kind and component."""
        return gateways_of(self.rendered)

    @property
    def extension_providers(self) -> list[str]:
        """The names of the providers in the mesh's configuration."""
        return sorted(providers_in(obj for obj in self.rendered if obj["kind"] == "ConfigMap"))

    def desired(self, state: ClusterState | None = None, *, gateways: bool = True) -> list[Object]:
        """Return all objects of the revision for a cluster in this state (default: an empty cluster).

        `gateways`: with the gateways, which another revision may still have during an upgrade.
        """
        state = state or ClusterState()
        kept = helm.without_gateways(self.rendered, state.helm_gateways)
        if not gateways:
            kept = [obj for obj in kept if component_of(obj) not in labels.GATEWAYS]
        objects = [obj for obj in kept if not self._is_kept_for_other(obj, state.base)]
        injector = tag_objects.injector_of(objects)
        if injector is not None and self._claims_default_tag(state):
            objects += tag_objects.tag_objects(
                self._renderer,
                tag_objects.DEFAULT,
                injector,
                namespace=self.namespace,
                inject_by_default=self.configuration.injects_by_default,
                extra_labels={**self._owner_labels(), labels.NOT_PRUNED: "true"},
            )
        if not self.configuration.revision and self.configuration.makes_default_tag:
            # While a default tag exists, it injects namespaces labelled `istio-injection` instead of this injector.
            objects = [tag_objects.deactivated(obj) if obj is injector else obj for obj in objects]
        return [self._system_namespace(), *objects]

    def unit(self, *, remove_dead_webhooks: bool = False, gateways: bool = True) -> Unit:
        """Return the desired state as a unit; reads the cluster.

        `remove_dead_webhooks`: first delete the webhooks of a deleted control plane. `gateways`: as for `desired`.
        """
        if self.cluster is None:
            raise ValueError("a unit needs a cluster")
        unit = self.unit_for(ClusterState.read(self.cluster), gateways=gateways)
        if not remove_dead_webhooks:
            return unit
        wanted = {key_of(obj) for obj in unit.objects}
        return replace(unit, conflicting_objects=lambda cluster: [one for one, _service in left_over(cluster, wanted)])

    def unit_for(self, state: ClusterState, *, gateways: bool = True) -> Unit:
        """Return the desired state as a unit, for a cluster in this state."""
        objects = self.desired(state, gateways=gateways)
        if self.cluster is not None:
            refuse_unserved(self.cluster, objects, self.release.version)
        istiod = install_order.istiod_service(objects)
        cluster = self.cluster
        return Unit(
            manager=MANAGER,
            objects=objects,
            previous_managers=PREVIOUS_MANAGERS,
            previous_owners=PREVIOUS_OWNERS,
            previous=INSTALLERS - {MANAGER},
            inventory=installed_objects.of_control_plane(
                self.revision, self.configuration.owner, self.namespace, objects
            ),
            stale=lambda cluster: installed_objects.installed_by(
                cluster,
                revision=self.configuration.revision,
                owner=self.configuration.owner,
                namespace=self.namespace,
                wanted=objects,
            ),
            rank=install_order.rank,
            gate=lambda obj: install_order.gate(obj, istiod),
            adjust=MeshRuntimeFields(
                PREVIOUS_MANAGERS | {MANAGER},
                lambda: bool(cluster and istiod and has_endpoint(cluster, istiod.namespace, istiod.name)),
            ),
            awaited=is_awaited,
        )

    def check(self, plan: Plan, *, force: bool = False, moves_from: str = "") -> None:
        """Raise Refused for a plan that cannot work or, unless forced, that changes objects of other owners.

        `moves_from`: the revision whose gateways an upgrade moves to this one.
        """
        if self.cluster is not None:
            refuse_missing_namespaces(self.cluster, plan)
        if force:
            return
        refuse_claimed_gateways(plan, self.revision, moves_from)
        if self.cluster is not None:
            refuse_left_over(self.cluster, plan)
            refuse_overlap(self.cluster, plan)

    def warnings(self, plan: Plan, *, gateways: bool = True) -> list[str]:
        """Return the warnings about a plan; `gateways`: as for `desired`."""
        if self.cluster is None:
            return []
        planned = {key_of(obj) for obj in plan.objects}
        helm_gateways = {
            (one["namespace"], one["name"])
            for one in (self.gateways if gateways else ())
            if Key("apps/v1", one["kind"], one["namespace"], one["name"]) not in planned
        }
        settings = network_settings(self.cluster) if plan.changes else {}
        return [
            *warnings(self.cluster, plan, helm_gateways),
            *pruned_of_others(plan, self.configuration.owner),
            *unmatched_patches(self.configuration.merged, self.rendered, self.configuration.revision),
            *self._renderer.warnings(self.configuration.overlays, self.configuration.sets, settings),
        ]

    def _owner_labels(self, component: str = "") -> dict[str, str]:
        return owner_labels(
            version=self.release.version,
            revision=self.configuration.revision,
            name=self.configuration.owner,
            namespace=self.namespace,
            component=component,
        )

    def _system_namespace(self) -> Object:
        metadata: Object = {"name": self.namespace}
        if self.configuration.network:
            metadata["labels"] = {labels.NETWORK: self.configuration.network}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    def _is_kept_for_other(self, obj: Object, owner: BaseOwner | None) -> bool:
        """Return whether an object is shared with another revision, whose version is at least as new."""
        if owner is None or owner.revision == self.revision or component_of(obj) != labels.BASE:
            return False
        shared = obj["metadata"].get("namespace", owner.namespace) == owner.namespace
        return shared and version_key(owner.version) >= version_key(self.release.version)

    def _claims_default_tag(self, state: ClusterState) -> bool:
        """Return whether to install the default tag, by istioctl's rule, but never change a tag that a user has set."""
        if not self.configuration.makes_default_tag or state.tag_is_set:
            return False
        return state.default_tag in (None, self.revision) or not self.configuration.revision
