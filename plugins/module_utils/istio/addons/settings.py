# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Apply settings to the manifests of addons: resources, storage, retention, authentication, Prometheus."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...kube.errors import InvalidInput
from ...kube.objects.objects import Object
from ..control_plane.operator_merge import merge
from .parts import container, edit_config, pod, set_argument, set_variables, workload

Options = Mapping[str, Any]
Manifests = dict[str, list[Object]]

_PERIOD = re.compile(r"(\d+(ms|[smhdwy]))+")


@dataclass(frozen=True)
class _Volume:
    """The volume in a release's manifest that holds an addon's data, and the group that its container runs as."""

    name: str
    group: int


_VOLUMES = {
    "grafana": _Volume("storage", 472),
    "jaeger": _Volume("data", 10001),
    "prometheus": _Volume("storage-volume", 65534),
}
_GRAFANA_KEYS = {"GF_SECURITY_ADMIN_USER": "admin-user", "GF_SECURITY_ADMIN_PASSWORD": "admin-password"}


def apply_settings(found: Manifests, options: Options) -> list[str]:
    """Apply the options to the manifests, in place; return warnings.

    Raises InvalidInput for a setting of an addon that is not selected, or that does not support it.
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
            f"{option} is invalid: the addon {addon} is not one of the selected addons ({', '.join(found)}). Add it to"
            f" them, or remove it from {option}.",
            option=option,
            addon=addon,
        )


def _resources(addon: str, objects: list[Object], value: Any) -> None:
    if not isinstance(value, Mapping) or not value or value.keys() - {"requests", "limits"}:
        raise InvalidInput(
            f"resources.{addon} is invalid: it must be a map of requests and limits.", option=f"resources.{addon}"
        )
    target = container(addon, objects)
    target["resources"] = merge(dict(target.get("resources") or {}), value)


def _storage(addon: str, objects: list[Object], value: Any) -> None:
    """Replace the volume that is deleted with the pod by a PersistentVolumeClaim."""
    wanted = value if isinstance(value, Mapping) else {"size": value}
    if not wanted.get("size") or wanted.keys() - {"size", "class"}:
        raise InvalidInput(
            f"storage.{addon} is invalid: it must be a size, such as 10Gi, or a map of size and class.",
            option=f"storage.{addon}",
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
        raise InvalidInput(
            f"storage.{addon} is invalid: the addon {addon} stores no data. Remove it from storage.",
            option=f"storage.{addon}",
        )
    name, namespace = f"{addon}-data", carrier["metadata"].get("namespace", "")
    place.pop("emptyDir", None)
    place["persistentVolumeClaim"] = {"claimName": name}
    spec["securityContext"] = {"fsGroup": volume.group, **(spec.get("securityContext") or {})}
    # A rolling update would run two pods with the same volume.
    carrier["spec"]["strategy"] = {"type": "Recreate"}
    metadata = {"name": name, "namespace": namespace}
    objects.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})


def _retention(addon: str, objects: list[Object], value: Any) -> None:
    if not _PERIOD.fullmatch(str(value)):
        raise InvalidInput(
            f"retention.{addon} '{value}' is invalid: it must be a duration, such as 15d or 12h.",
            option=f"retention.{addon}",
        )
    if addon == "prometheus":
        set_argument(container(addon, objects), "--storage.tsdb.retention.time", str(value))
    elif addon == "loki":
        limits = {"limits_config": {"retention_period": str(value)}}
        remover = {"compactor": {"retention_enabled": True, "delete_request_store": "filesystem"}}
        edit_config(addon, objects, "config.yaml", lambda config: _lay(config, limits, remover))
    else:
        raise InvalidInput(
            f"retention.{addon} is invalid: only prometheus and loki support it. Remove it from retention.",
            option=f"retention.{addon}",
        )


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
            "grafana.anonymous_role none needs grafana.admin_secret: the password in the release's sample is public."
            " Set it to a Secret with the keys admin-user and admin-password.",
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
    """Point Kiali and Grafana at an existing Prometheus."""
    if not re.match(r"https?://[^/\s]+", url):
        raise InvalidInput(
            f"prometheus_url '{url}' is invalid: it must be a URL that starts with http:// or https://.",
            option="prometheus_url",
        )
    if "prometheus" in found:
        raise InvalidInput(
            "prometheus_url and the addon prometheus conflict: the one is an existing Prometheus, the other installs a"
            " second one. Remove one of them.",
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
    clients = [name for name in ("kiali", "grafana") if name in found]
    if clients and "prometheus" not in found and not options.get("prometheus_url"):
        yield (
            f"{' and '.join(clients)} have no Prometheus to query: add the addon prometheus, or set prometheus_url to"
            " the URL of an existing one."
        )
    auth = (options.get("kiali") or {}).get("auth")
    key = (((options.get("kiali") or {}).get("config") or {}).get("login_token") or {}).get("signing_key")
    if auth not in (None, "anonymous") and not key:
        yield (
            "Kiali signs its sessions with the key in the release's sample, which is public: set"
            " kiali.config.login_token.signing_key to a key of your own."
        )


_PER_ADDON: dict[str, Callable[[str, list[Object], Any], None]] = {
    "resources": _resources,
    "storage": _storage,
    "retention": _retention,
}
_PROGRAMS: dict[str, Callable[[list[Object], Options], None]] = {"kiali": _kiali, "grafana": _grafana}
