# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of a control plane, and the configuration that they and the release's profile result in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.yaml.reader import read_yaml
from ...kube.yaml.text_encoding import read_text
from ..gateways.service import DEFAULT_GATEWAY
from ..release.release import Release
from .images import mirrored
from .operator_merge import get_path, merge, set_flag
from .operator_shape import refuse_misshapen_operator, refuse_misshapen_options
from .overlays import API_VERSION, KIND, Overlay, read_overlays

DEFAULT_NAMESPACE = "istio-system"
_FIRST_WITH_TAGS = (1, 10)
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_REVISION = re.compile(r"[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?")


@dataclass(frozen=True)
class Options:
    """The options of a control plane.

    `overlays` are merged into the profile in their order, then `profile`, `revision`, `hub`, `tag`, `platform`,
    `namespace` and `values`; `sets` (`path=value`) take precedence over all. An empty option, and the defaults
    "default" and "istio-system", do not override the overlays. `ingress` is described in `gateways/service`.
    `extension_providers` are added to those of the overlays, unless one of that name exists. `mirrors` replace the
    resulting images, and `pull_secrets` are added to the names of Secrets.
    """

    profile: str = ""
    revision: str = ""
    overlays: Sequence[Overlay] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    sets: Sequence[str] = ()
    hub: str = ""
    tag: str = ""
    platform: str = ""
    namespace: str = ""
    ingress: Sequence[Mapping[str, Any]] = ()
    extension_providers: Sequence[Mapping[str, Any]] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    pull_secrets: Sequence[str] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Options:
        """Read a module's parameters of these names (`set` for `sets`), and the overlays' files."""
        refuse_misshapen_options(parameters)
        texts = {name: str(parameters.get(name) or "") for name in ("profile", "revision", "hub", "tag", "platform")}
        return cls(
            **texts,
            namespace=str(parameters.get("namespace") or ""),
            overlays=tuple(read_overlays(parameters.get("overlays") or ())),
            values=parameters.get("values") or {},
            sets=tuple(flags_of(parameters.get("set"))),
            ingress=tuple(parameters.get("ingress") or ()),
            extension_providers=tuple(parameters.get("extension_providers") or ()),
            mirrors=parameters.get("mirrors") or {},
            pull_secrets=tuple(parameters.get("pull_secrets") or ()),
        )


def flags_of(settings: Any) -> list[str]:
    """Return `path=value` flags from a text, a list or a map. Raises InvalidInput for anything else."""
    if isinstance(settings, Mapping):
        return [f"{path}={_flag_text(value)}" for path, value in settings.items()]
    if isinstance(settings, list | tuple | str | None):
        return [settings] if isinstance(settings, str) and settings else [str(flag) for flag in settings or ()]
    raise InvalidInput("set is invalid: it must be a list of path=value, or a map of paths to values.")


def _flag_text(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        raise InvalidInput(
            "A value of set is invalid: it must be a text, number or boolean. Give maps and lists in values or an overlay."
        )
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


class Configuration:
    """The inputs of istioctl for one control plane, and the configuration that they result in.

    Raises InvalidInput for an unknown profile, a revision that is not a DNS label, and malformed flags.
    """

    def __init__(self, options: Options, release: Release) -> None:
        self.release = release
        self.overlays: list[Overlay] = [*options.overlays]
        own = _own_overlay(options)
        if own:
            self.overlays.append(own)
        if options.extension_providers:
            self.overlays.append(_with_providers(self.overlays, options.extension_providers))
        self.sets = list(options.sets)
        # The first access to `merged`, which validates the inputs.
        further = _further_gateways(
            get_path(self.merged, "spec.components.ingressGateways") or [], options.ingress, self.namespace
        )
        if further:
            self._add(further)
        spec = mirrored(self.values, options.mirrors, options.pull_secrets)
        if spec:
            self._add(Overlay.of({"apiVersion": API_VERSION, "kind": KIND, "spec": spec}, "mirrors"))

    def _add(self, overlay: Overlay) -> None:
        self.overlays.append(overlay)
        del self.merged

    @cached_property
    def merged(self) -> Mapping[str, Any]:
        """The IstioOperator that istioctl works with."""
        given: dict[str, Any] = {"metadata": {}, "spec": {}}
        for overlay in self.overlays:
            merge(given, {key: value for key, value in overlay.document.items() if value is not None})
        for flag in self.sets:
            set_flag(given, flag)
        refuse_misshapen_operator(given, "The configuration with its entries of set")
        base = self._profile(given)
        values = get_path(given, "spec.values") or {}
        merge(base, given)
        for source, target in (("revision", "revision"), ("hub", "global.hub"), ("tag", "global.tag")):
            if get_path(base, f"spec.{source}"):
                set_flag(base, f"values.{target}={base['spec'][source]}")
        if get_path(base, "spec.values.global.istioNamespace"):
            merge(base, {"metadata": {"namespace": base["spec"]["values"]["global"]["istioNamespace"]}})
        merge(base, {"spec": {"values": merge(dict(values), get_path(given, "spec.unvalidatedValues") or {})}})
        revision = get_path(base, "spec.values.revision") or ""
        if revision and not (isinstance(revision, str) and _REVISION.fullmatch(revision)):
            raise InvalidInput(
                f"The revision '{revision}' is invalid: it must be a text of lower case letters, digits and '-', such as"
                " 1-29-1.",
                revision=str(revision),
            )
        namespace = get_path(base, "metadata.namespace") or DEFAULT_NAMESPACE
        if not (isinstance(namespace, str) and _NAMESPACE.fullmatch(namespace)):
            raise InvalidInput(
                f"The namespace '{namespace}' is invalid: it must consist of at most 63 lower case letters, digits and"
                " '-'.",
                namespace=str(namespace),
            )
        return base

    def _profile(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the default profile with the selected one merged into it."""
        charts = get_path(given, "spec.installPackagePath")
        folder = (Path(charts) if charts else self.release.manifests) / "profiles"
        base: dict[str, Any] = {}
        for name in dict.fromkeys(("default", get_path(given, "spec.profile") or "default")):
            path = folder / f"{name}.yaml"
            if not re.fullmatch(r"[\w-]+", name) or not path.is_file():
                known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
                raise InvalidInput(
                    f"Profile '{name}' not found in Istio {self.release.version}. Choose one of {known or '(none)'}.",
                    profile=name,
                )
            for document in read_yaml(read_text(path), str(path)):
                merge(base, document)
        return base

    @property
    def values(self) -> Mapping[str, Any]:
        """The values of the charts, with the charts' own values for the profile."""
        given = get_path(self.merged, "spec.values") or {}
        path = self.release.manifests / "charts" / "base" / "files" / f"profile-{given.get('profile')}.yaml"
        base: dict[str, Any] = {}
        if path.is_file():
            for document in read_yaml(read_text(path), str(path)):
                merge(base, document)
        return merge(base, given)

    @property
    def revision(self) -> str:
        """The revision, empty for the default revision."""
        return get_path(self.merged, "spec.values.revision") or ""

    @property
    def namespace(self) -> str:
        """The namespace of the control plane."""
        return get_path(self.merged, "metadata.namespace") or DEFAULT_NAMESPACE

    @property
    def owner(self) -> str:
        """The name of the IstioOperator, empty if no overlay sets it."""
        return get_path(self.merged, "metadata.name") or ""

    @property
    def network(self) -> str:
        """The network with which the system namespace is labelled when it is created."""
        return get_path(self.merged, "spec.values.global.network") or ""

    @property
    def profile(self) -> str:
        """The profile's name."""
        return get_path(self.merged, "spec.profile") or "default"

    @property
    def makes_default_tag(self) -> bool:
        """True if the release supports tags, and the installer is to create their webhooks."""
        by_operator = get_path(self.merged, "spec.values.global.operatorManageWebhooks") is True
        return self.release.minor >= _FIRST_WITH_TAGS and not by_operator

    @property
    def injects_by_default(self) -> bool:
        """True if namespaces without a label are injected as well."""
        return get_path(self.merged, "spec.values.sidecarInjectorWebhook.enableNamespacesByDefault") is True


def _with_providers(overlays: Sequence[Overlay], providers: Sequence[Mapping[str, Any]]) -> Overlay:
    """Add providers to the overlays' list, because lists of overlays replace each other."""
    unnamed = next((provider for provider in providers if not provider.get("name")), None)
    if unnamed is not None:
        raise InvalidInput(f"The entry {unnamed} of extension_providers is invalid: its name is missing. Add a name.")
    given: dict[str, Any] = {}
    for overlay in overlays:
        merge(given, overlay.document)
    path = "meshConfig.extensionProviders"
    listed = get_path(given, f"spec.{path}") or get_path(given, f"spec.values.{path}") or []
    by_name: dict[Any, Mapping[str, Any]] = {}
    for provider in (*listed, *providers):
        by_name.setdefault(provider.get("name"), provider)
    spec = {"meshConfig": {"extensionProviders": list(by_name.values())}}
    return Overlay.of({"apiVersion": API_VERSION, "kind": KIND, "spec": spec}, "extension_providers")


def _own_overlay(options: Options) -> Overlay | None:
    """Return the options that are not overlays, as the last overlay."""
    spec: dict[str, Any] = {}
    for name in ("profile", "revision", "hub", "tag"):
        value = getattr(options, name)
        if value and (name, value) not in (("profile", "default"), ("revision", "default")):
            spec[name] = value
    own: dict[str, Any] = {}
    if options.platform:
        own["platform"] = options.platform
    if options.namespace and options.namespace != DEFAULT_NAMESPACE:
        own["istioNamespace"] = options.namespace
    values = merge({"global": own} if own else {}, options.values)
    if values:
        spec["values"] = values
    if not spec:
        return None
    return Overlay.of({"apiVersion": API_VERSION, "kind": KIND, "spec": spec}, "the options")


def _further_gateways(
    known: Sequence[Mapping[str, Any]], ingress: Sequence[Mapping[str, Any]], home: str
) -> Overlay | None:
    """Add the gateways of `ingress` to those of the overlays, because lists of overlays replace each other.

    `home`: the control plane's namespace, the default one of gateways.
    """
    there = {(gateway.get("namespace") or home, gateway.get("name")) for gateway in known}
    added: list[dict[str, Any]] = []
    for entry in ingress:
        name, own = entry.get("name") or DEFAULT_GATEWAY, entry.get("labels")
        namespace = entry.get("namespace") or home
        if own and (namespace, name) in there:
            raise InvalidInput(
                f"ingress of gateway {name} is invalid: the gateway already exists in the configuration, and labels are"
                " for an additional gateway. Remove the labels, or choose another name.",
                gateway=name,
            )
        if own:
            label = {key: str(value) for key, value in own.items()}
            elsewhere = {} if namespace == home else {"namespace": namespace}
            added.append({"name": name, **elsewhere, "enabled": True, "label": label})
    if not added:
        return None
    spec = {"components": {"ingressGateways": [*known, *added]}}
    return Overlay.of({"apiVersion": API_VERSION, "kind": KIND, "spec": spec}, "ingress")
