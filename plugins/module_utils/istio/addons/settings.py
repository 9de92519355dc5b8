# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users ask of addons, worked into the release's manifests: resources, storage, retention, access, Prometheus."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...kube.errors import InvalidInput
from ..control_plane.operator_merge import merge
from .parts import Object, container, edit_config, pod, set_argument, set_variables, workload

Options = Mapping[str, Any]
Manifests = dict[str, list[Object]]

_PERIOD = re.compile(r"(\d+(ms|[smhdwy]))+")


@dataclass(frozen=True)
class _Volume:
    """The volume of a release's manifest that holds an addon's data, and the group that its program runs as."""

    name: str
    group: int


_VOLUMES = {
    "grafana": _Volume("storage", 472),
    "jaeger": _Volume("data", 10001),
    "prometheus": _Volume("storage-volume", 65534),
}
_GRAFANA_KEYS = {"GF_SECURITY_ADMIN_USER": "admin-user", "GF_SECURITY_ADMIN_PASSWORD": "admin-password"}


def settle(found: Manifests, options: Options) -> list[str]:
    """Work the options into the manifests, in place; returns what the user should be warned of.

    Raises InvalidInput for a setting of an addon that is not chosen, or that cannot have it.
    """
    for option, change in _PER_ADDON.items():
        for addon, value in (options.get(option) or {}).items():
            _refuse_unchosen(option, addon, found)
            change(addon, found[addon], value)
    for addon, shape in _PROGRAMS.items():
        wanted = {name: value for name, value in (options.get(addon) or {}).items() if value}
        if wanted:
            _refuse_unchosen(addon, addon, found)
            shape(found[addon], wanted)
    if options.get("prometheus_url"):
        _existing_prometheus(found, options["prometheus_url"])
    return list(_warnings(found, options))


def _refuse_unchosen(option: str, addon: str, found: Manifests) -> None:
    if addon not in found:
        raise InvalidInput(
            f"{option} is given for {addon}, which is not among the addons {', '.join(found)}: add it, or take it out of"
            f" {option}.",
            option=option,
            addon=addon,
        )


def _resources(addon: str, objects: list[Object], value: Any) -> None:
    if not isinstance(value, Mapping) or not value or value.keys() - {"requests", "limits"}:
        raise InvalidInput(f"resources.{addon} is to be a map of requests and limits.", option=f"resources.{addon}")
    target = container(addon, objects)
    target["resources"] = merge(dict(target.get("resources") or {}), value)


def _storage(addon: str, objects: list[Object], value: Any) -> None:
    """A claim of its own in place of the volume that goes with the pod."""
    wanted = value if isinstance(value, Mapping) else {"size": value}
    if not wanted.get("size") or wanted.keys() - {"size", "class"}:
        raise InvalidInput(
            f"storage.{addon} is to be a size, such as 10Gi, or a map of size and class.", option=f"storage.{addon}"
        )
    claim: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(wanted["size"])}},
        **({"storageClassName": wanted["class"]} if wanted.get("class") else {}),
    }
    carrier = workload(addon, objects)
    if carrier["kind"] == "StatefulSet":
        carrier["spec"]["volumeClaimTemplates"][0]["spec"] = claim
        return
    volume = _VOLUMES.get(addon)
    spec = pod(addon, objects)["spec"]
    place = next((one for one in spec.get("volumes") or () if volume and one["name"] == volume.name), None)
    if volume is None or place is None:
        raise InvalidInput(f"The addon {addon} keeps nothing that could be stored.", option=f"storage.{addon}")
    name, namespace = f"{addon}-data", carrier["metadata"].get("namespace", "")
    place.pop("emptyDir", None)
    place["persistentVolumeClaim"] = {"claimName": name}
    spec["securityContext"] = {"fsGroup": volume.group, **(spec.get("securityContext") or {})}
    # Two pods at once would both want the volume.
    carrier["spec"]["strategy"] = {"type": "Recreate"}
    metadata = {"name": name, "namespace": namespace}
    objects.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})


def _retention(addon: str, objects: list[Object], value: Any) -> None:
    if not _PERIOD.fullmatch(str(value)):
        raise InvalidInput(
            f"retention.{addon}: '{value}' is no time; write it as 15d or 12h.", option=f"retention.{addon}"
        )
    if addon == "prometheus":
        set_argument(container(addon, objects), "--storage.tsdb.retention.time", str(value))
    elif addon == "loki":
        limits = {"limits_config": {"retention_period": str(value)}}
        remover = {"compactor": {"retention_enabled": True, "delete_request_store": "filesystem"}}
        edit_config(addon, objects, "config.yaml", lambda config: _lay(config, limits, remover))
    else:
        raise InvalidInput(f"retention is known for prometheus and loki, not for {addon}.", option=f"retention.{addon}")


def _lay(config: Object, *layers: Options) -> None:
    for layer in layers:
        merge(config, layer)


def _kiali(objects: list[Object], wanted: Options) -> None:
    layers = [{"auth": {"strategy": wanted["auth"]}}] if wanted.get("auth") else []
    edit_config("kiali", objects, "config.yaml", lambda config: _lay(config, *layers, wanted.get("config") or {}))


def _grafana(objects: list[Object], wanted: Options) -> None:
    role, secret = wanted.get("anonymous_role"), wanted.get("admin_secret")
    if role == "none" and not secret:
        raise InvalidInput(
            "Without anonymous access Grafana needs grafana.admin_secret, a Secret with admin-user and admin-password;"
            " the release's own password is known to everybody.",
            option="grafana.admin_secret",
        )
    variables: Object = {}
    if role:
        variables["GF_AUTH_ANONYMOUS_ENABLED"] = "false" if role == "none" else "true"
        variables |= {} if role == "none" else {"GF_AUTH_ANONYMOUS_ORG_ROLE": role}
    if secret:
        variables["GF_AUTH_BASIC_ENABLED"] = "true"
        for variable, key in _GRAFANA_KEYS.items():
            variables[variable] = {"secretKeyRef": {"name": secret, "key": key}}
    set_variables(container("grafana", objects), variables)


def _existing_prometheus(found: Manifests, url: str) -> None:
    """Have Kiali and Grafana ask a Prometheus that is there already."""
    if not re.match(r"https?://[^/\s]+", url):
        raise InvalidInput(f"prometheus_url: '{url}' is no URL of http or https.", option="prometheus_url")
    if "prometheus" in found:
        raise InvalidInput(
            "prometheus_url names a Prometheus that exists, and the addon prometheus is a second one: leave one of the"
            " two out.",
            option="prometheus_url",
        )
    if "kiali" in found:
        there = {"external_services": {"prometheus": {"url": url}}}
        edit_config("kiali", found["kiali"], "config.yaml", lambda config: _lay(config, there))
    if "grafana" in found:
        edit_config("grafana", found["grafana"], "datasources.yaml", lambda config: _point(config, url))


def _point(config: Object, url: str) -> None:
    for source in config.get("datasources") or ():
        if source.get("type") == "prometheus":
            source["url"] = url


def _warnings(found: Manifests, options: Options) -> Iterator[str]:
    askers = [name for name in ("kiali", "grafana") if name in found]
    if askers and "prometheus" not in found and not options.get("prometheus_url"):
        yield (
            f"{' and '.join(askers)} will find no Prometheus: add the addon prometheus, or give prometheus_url, the URL"
            " of one that exists."
        )
    auth = (options.get("kiali") or {}).get("auth")
    key = (((options.get("kiali") or {}).get("config") or {}).get("login_token") or {}).get("signing_key")
    if auth not in (None, "anonymous") and not key:
        yield (
            "Kiali signs its logins with the key of the release's sample, which everybody knows: give one in"
            " kiali.config.login_token.signing_key."
        )


_PER_ADDON: dict[str, Callable[[str, list[Object], Any], None]] = {
    "resources": _resources,
    "storage": _storage,
    "retention": _retention,
}
_PROGRAMS: dict[str, Callable[[list[Object], Options], None]] = {"kiali": _kiali, "grafana": _grafana}
