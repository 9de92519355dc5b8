# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read Istio's injectors from a cluster, and find the one that would inject a new pod."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...kube.errors import MeshError
from ...kube.objects.kinds import CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION
from ...kube.objects.object_shapes import SELECTOR
from ...kube.objects.objects import Object
from ...kube.objects.selectors import matches
from ...kube.objects.shapes import NUMBER_OR_TEXT, TEXT, List, Map, fitting
from ...kube.yaml.reader import read_yaml
from ..model import labels
from ..model.labels import component_of, labels_of

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster
    from ...kube.plan.change import Change

INJECT = "sidecar.istio.io/inject"
NEVER_INJECTED = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
"""Namespaces that no injector injects, whatever their labels."""

_SUFFIX = "sidecar-injector.istio.io"
_SELECTORS = List(SELECTOR)
_CONFIGURATION = Map({"policy": TEXT, "neverInjectSelector": _SELECTORS, "alwaysInjectSelector": _SELECTORS})
_VALUES = Map({"global": Map({"proxy": Map({"image": TEXT}), "hub": TEXT, "tag": NUMBER_OR_TEXT})})


def decides_sidecars(change: Change) -> bool:
    """Return whether a change of a control plane changes which pods get a sidecar, or which one."""
    of_istiod = component_of(change.desired or change.before or {}) == labels.PILOT
    return of_istiod and change.key.of in (CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION)


@dataclass(frozen=True)
class Injector:
    """The configuration of one revision's injector.

    `image`: the proxy's image without the variant in its tag, empty if unknown.
    """

    revision: str
    by_default: bool = True
    never: Sequence[Mapping[str, Any]] = ()
    always: Sequence[Mapping[str, Any]] = ()
    image: str = ""

    @classmethod
    def of(cls, revision: str, config_map: Object | None) -> Injector:
        """Read the ConfigMap `istio-sidecar-injector[-<revision>]`; use Istio's defaults for what cannot be read."""
        data = (config_map or {}).get("data") or {}
        try:
            documents = read_yaml(data.get("config") or "", "the injector's configuration")
            values = json.loads(data.get("values") or "{}")
        except (MeshError, ValueError):
            return cls(revision)
        config = fitting(documents[0] if documents else {}, _CONFIGURATION) or {}
        return cls(
            revision,
            by_default=config.get("policy", "enabled") == "enabled",
            never=config.get("neverInjectSelector") or (),
            always=config.get("alwaysInjectSelector") or (),
            image=_image((fitting(values, _VALUES) or {}).get("global") or {}),
        )

    def accepts(self, pod: Object) -> bool:
        """Return whether this injector injects a pod for which its webhook is called."""
        if (pod.get("spec") or {}).get("hostNetwork") or pod["metadata"].get("namespace") in NEVER_INJECTED:
            return False
        own = labels_of(pod)
        choice = own.get(INJECT) or (pod["metadata"].get("annotations") or {}).get(INJECT)
        if choice in ("true", "false"):
            return choice == "true"
        # Istio ignores an empty selector, which would match everything.
        if any(selector and matches(selector, own) for selector in self.never):
            return False
        if any(selector and matches(selector, own) for selector in self.always):
            return True
        return self.by_default


@dataclass(frozen=True)
class Injectors:
    """All injectors of a cluster, and the webhooks that call them."""

    webhooks: Sequence[tuple[str, Mapping[str, Any]]] = ()
    injectors: Mapping[str, Injector] = field(default_factory=dict)

    @classmethod
    def read(cls, cluster: Cluster) -> Injectors:
        """Read the webhooks, and one ConfigMap for each revision."""
        configurations = cluster.list(MUTATING_WEBHOOK_CONFIGURATION, label_selector=labels.REVISION)
        webhooks = list(_injection_webhooks(configurations))
        places = {revision: _namespace(webhook) for revision, webhook in webhooks}
        found = cluster.parallel(
            lambda item: cluster.get(CONFIG_MAP, _config_map(item[0]), item[1]) if item[1] else None,
            list(places.items()),
        )
        injectors = {
            revision: Injector.of(revision, config_map) for revision, config_map in zip(places, found, strict=True)
        }
        return cls(webhooks, injectors)

    def of_pod(self, namespace: Object, pod: Object) -> Injector | None:
        """Return the injector that would inject this pod in this namespace if it were created now."""
        revision = self._called(namespace, labels_of(pod))
        injector = self.injectors.get(revision) if revision else None
        return injector if injector is not None and injector.accepts(pod) else None

    def of_namespace(self, namespace: Object) -> str | None:
        """Return the revision that injects pods without labels of their own in this namespace, None if none does."""
        if namespace["metadata"]["name"] in NEVER_INJECTED:
            return None
        revision = self._called(namespace, {})
        injector = self.injectors.get(revision) if revision else None
        return revision if injector is not None and injector.by_default else None

    def _called(self, namespace: Object, pod_labels: Mapping[str, str]) -> str | None:
        own = {**labels_of(namespace), "kubernetes.io/metadata.name": namespace["metadata"]["name"]}
        for revision, webhook in self.webhooks:
            if matches(webhook.get("namespaceSelector"), own) and matches(webhook.get("objectSelector"), pod_labels):
                return revision
        return None


def _injection_webhooks(configurations: Iterable[Object]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield revision and webhook in the order in which the API server calls them: configurations by name."""
    for configuration in sorted(configurations, key=lambda one: one["metadata"]["name"]):
        for webhook in configuration.get("webhooks") or ():
            if webhook["name"].endswith(_SUFFIX):
                yield labels_of(configuration).get(labels.REVISION, "default"), webhook


def _namespace(webhook: Mapping[str, Any]) -> str:
    return ((webhook.get("clientConfig") or {}).get("service") or {}).get("namespace") or ""


def _config_map(revision: str) -> str:
    return "istio-sidecar-injector" if revision == "default" else f"istio-sidecar-injector-{revision}"


def _image(settings: Mapping[str, Any]) -> str:
    """Compose the proxy's image from the global values, as Istio's templates do."""
    name = (settings.get("proxy") or {}).get("image") or "proxyv2"
    if "/" in name:
        return str(name)
    hub, tag = settings.get("hub"), settings.get("tag")
    return f"{hub}/{name}:{tag}" if hub and tag else ""
