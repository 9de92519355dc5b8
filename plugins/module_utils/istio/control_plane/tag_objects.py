# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the objects of a revision tag: the webhooks and the Service that point at a revision.

istioctl builds a tag from the injector's webhook in the cluster. Here it is built from the rendered webhook, so that a
tag can be planned before anything is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Object
from ..model import labels
from ..model.labels import labels_of
from .operator_merge import merge
from .overlays import API_VERSION, KIND, Overlay
from .render import Renderer

DEFAULT = "default"
NEVER_MATCH = {"matchLabels": {"istio.io/deactivated": "never-match"}}

_INJECTION = "sidecar-injector.istio.io"
_COMPONENTS = {"base": {"enabled": True}, "pilot": {"enabled": True}}


def injector_of(objects: Iterable[Object]) -> Object | None:
    """Return the injector's webhook configuration among rendered objects, None if the revision has none."""
    for obj in objects:
        if obj["kind"] == "MutatingWebhookConfiguration" and labels.TAG not in labels_of(obj) and _webhook(obj):
            return obj
    return None


def _webhook(configuration: Object) -> Object | None:
    webhooks: list[Object] = configuration.get("webhooks") or []
    for webhook in webhooks:
        if webhook["name"].endswith(_INJECTION):
            return webhook
    return None


def injects(configuration: Object) -> bool:
    """Return whether a webhook configuration is that of an injector or a tag."""
    return _webhook(configuration) is not None


def service_of(configuration: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return namespace and name of the Service that an injector calls; None for one that calls a URL."""
    webhook = _webhook(dict(configuration)) or {}
    service = (webhook.get("clientConfig") or {}).get("service")
    return (service["namespace"], service["name"]) if service else None


def version_of(injector: Mapping[str, Any]) -> str:
    """Return the version of the release that installed an injector. Raises InvalidInput if its labels have none."""
    own = labels_of(injector)
    version = own.get(labels.VERSION) or own.get("app.kubernetes.io/version", "")
    if not version:
        raise InvalidInput(
            f"Cannot read the version of MutatingWebhookConfiguration {injector['metadata']['name']}: label"
            f" {labels.VERSION} not found. Set version."
        )
    return version


def is_deactivated(configuration: Object) -> bool:
    """Return whether an injector's webhooks are deactivated, so that they match nothing."""
    return all(webhook.get("namespaceSelector") == NEVER_MATCH for webhook in configuration.get("webhooks") or ())


def deactivated(configuration: Object) -> Object:
    """Deactivate an injector's webhooks, as while a default tag replaces them."""
    webhooks = [
        {**webhook, "namespaceSelector": NEVER_MATCH, "objectSelector": NEVER_MATCH}
        for webhook in configuration.get("webhooks") or ()
    ]
    return {**configuration, "webhooks": webhooks}


def tag_objects(
    renderer: Renderer,
    tag: str,
    injector: Object,
    *,
    namespace: str,
    inject_by_default: bool = False,
    extra_labels: Mapping[str, str] | None = None,
    of_user: bool = False,
) -> list[Object]:
    """Build the objects of a tag that points at the revision of `injector`, which has its owner labels already.

    `inject_by_default`: inject namespaces without a label as well. A tag `of_user` has none of the installer's labels,
    so that no installer prunes or changes it. Releases before 1.24 have no Service per tag, and only the tag `default`
    has a validating webhook.
    """
    found = _webhook(injector)
    if found is None:
        return []
    rendered = _rendered(renderer, tag, injector, found, namespace, inject_by_default)
    inherited = {key: value for key, value in labels_of(injector).items() if key != "app"}
    made = []
    for obj in rendered:
        kind = obj["kind"]
        if kind == "MutatingWebhookConfiguration":
            _point(obj, found)
        elif kind == "ValidatingWebhookConfiguration":
            _carry_bundle(obj, found)
        elif kind == "Service" and labels_of(obj).get(labels.REVISION) == DEFAULT:
            _select_default(obj)
        metadata = obj["metadata"]
        metadata["labels"] = {
            **metadata.get("labels", {}),
            **(inherited if kind != "Service" else {}),
            **(extra_labels or {}),
        }
        if of_user:
            metadata["labels"] = {
                name: value for name, value in metadata["labels"].items() if labels.INSTALLER not in name
            }
        annotations = injector["metadata"].get("annotations")
        if kind != "Service" and annotations:
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
        made.append(obj)
    return made


def _rendered(
    renderer: Renderer,
    tag: str,
    injector: Object,
    webhook: Mapping[str, Any],
    namespace: str,
    inject_by_default: bool,
) -> list[Object]:
    revision = labels_of(injector).get(labels.REVISION, DEFAULT)
    revision = "" if revision == DEFAULT else revision
    url = webhook["clientConfig"].get("url") or ""
    values: dict[str, Any] = {
        "revisionTags": [tag],
        "global": {"istioNamespace": namespace},
        "istiodRemote": {"injectionURL": url},
        "sidecarInjectorWebhook": {"enableNamespacesByDefault": inject_by_default},
    }
    if webhook.get("reinvocationPolicy"):
        merge(values, {"sidecarInjectorWebhook": {"reinvocationPolicy": webhook["reinvocationPolicy"]}})
    if url:
        merge(values, {"base": {"validationURL": _with_path(url, "/validate")}})
    spec = {"profile": "empty", "components": _COMPONENTS, "revision": revision, "values": values}
    overlay = Overlay.of({"apiVersion": API_VERSION, "kind": KIND, "spec": spec}, f"the tag {tag}")
    objects = renderer.render([overlay], base_chart="default")
    return [obj for obj in objects if labels_of(obj).get(labels.TAG) == tag]


def _with_path(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=path).geturl()


def _carry_bundle(configuration: Object, source: Mapping[str, Any]) -> None:
    bundle = source["clientConfig"].get("caBundle")
    for webhook in configuration.get("webhooks") or () if bundle else ():
        webhook["clientConfig"]["caBundle"] = bundle


def _point(configuration: Object, source: Mapping[str, Any]) -> None:
    """Call the Service of the revision's own injector, which is not always named after the revision."""
    _carry_bundle(configuration, source)
    service = source["clientConfig"].get("service")
    for webhook in configuration.get("webhooks") or ():
        if service and "service" in webhook["clientConfig"]:
            webhook["clientConfig"]["service"].update(name=service["name"], path=service.get("path", ""))


def _select_default(service: Object) -> None:
    """Select the revision `default`, which istioctl renders with another selector."""
    selector = service["spec"]["selector"]
    selector.pop("istio", None)
    selector[labels.REVISION] = DEFAULT
