# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tracing and access logs of the whole mesh (Telemetry)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...kube.errors import InvalidInput, Refused
from ...kube.objects.kinds import CONFIG_MAP
from ...kube.objects.objects import Kind, Object, key_of
from ..control_plane.mesh_config import BUILT_IN, providers_in
from ..traffic.shared.fields import make
from ..traffic.shared.unit import served_kind

if TYPE_CHECKING:
    from ...kube.api.cluster import Cluster

TELEMETRY = Kind("telemetry.istio.io/v1", "Telemetry")
NAME = "mesh-default"
"""The name of the mesh-wide Telemetry in Istio's documentation."""

_OTLP = (1, 20)
"""The first release whose Jaeger accepts OpenTelemetry (OTLP); earlier ones accept Zipkin's protocol."""


def provider(name: str, namespace: str, minor: tuple[int, int]) -> Object | None:
    """Return the entry of meshConfig.extensionProviders for a tracing addon; None if `name` is no tracing addon."""
    if name == "jaeger" and minor >= _OTLP:
        return {"name": name, "opentelemetry": _at("jaeger-collector", namespace, 4317)}
    if name in ("jaeger", "zipkin"):
        return {"name": name, "zipkin": _at("zipkin", namespace, 9411)}
    if name == "skywalking":
        return {"name": name, "skywalking": _at("tracing", namespace, 11800)}
    return None


def _at(service: str, namespace: str, port: int) -> Object:
    return {"service": f"{service}.{namespace}.svc.cluster.local", "port": port}


def telemetry(*, tracing: str, access_logs: str, sampling: float | None, namespace: str) -> list[Object]:
    """Return the mesh-wide Telemetry for the named providers; empty if both names are empty."""
    spec: Object = {}
    if tracing:
        share = 1.0 if sampling is None else float(sampling)
        if not 0 <= share <= 100:
            raise InvalidInput(
                f"tracing_sampling {share:g} is invalid: it must be a percentage from 0 to 100.",
                option="tracing_sampling",
            )
        spec["tracing"] = [{"providers": [{"name": tracing}], "randomSamplingPercentage": share}]
    elif sampling is not None:
        raise InvalidInput(
            "tracing_sampling has no effect without tracing. Set tracing to the name of a provider.",
            option="tracing_sampling",
        )
    if access_logs:
        spec["accessLogging"] = [{"providers": [{"name": access_logs}]}]
    return [make(TELEMETRY.api_version, TELEMETRY.kind, namespace, NAME, spec)] if spec else []


def refuse_unknown_providers(
    cluster: Cluster,
    wanted: Mapping[str, str],
    namespace: str,
    minor: tuple[int, int],
    assumed: Iterable[str] = (),
) -> None:
    """Raise Refused for a provider (keyed by its option) that no control plane in `namespace` has.

    `assumed`: providers that an earlier step of the run adds.
    """
    known = BUILT_IN | providers_in(cluster.list(CONFIG_MAP, namespace)) | set(assumed)
    for option, name in wanted.items():
        if name and name not in known:
            entry = provider(name, namespace, minor)
            example = f", for example {_inline(entry)}" if entry else ""
            raise Refused(
                f"Provider '{name}' of {option} not found: the mesh has {', '.join(sorted(known))}. Add it to the control"
                f" plane's extension_providers{example}.",
                code="provider_missing",
                option=option,
                provider=name,
                providers=sorted(known),
            )


def refuse_second(cluster: Cluster, namespace: str) -> None:
    """Raise Refused if another mesh-wide Telemetry exists: Istio ignores all but the oldest."""
    for other in cluster.list(served_kind(cluster, TELEMETRY), namespace):
        spec = other.get("spec") or {}
        aimed = spec.get("selector") or spec.get("targetRef") or spec.get("targetRefs")
        if not aimed and other["metadata"]["name"] != NAME:
            key = key_of(other)
            raise Refused(
                f"Cannot create the mesh-wide Telemetry: {key} already exists, and Istio uses only one. Configure tracing"
                " and access logs there, or delete it.",
                code="telemetry_exists",
                object=key._asdict(),
            )


def _inline(entry: Object) -> str:
    """Format a provider as one line of YAML."""
    (kind, where) = next((key, value) for key, value in entry.items() if key != "name")
    inside = ", ".join(f"{key}: {value}" for key, value in where.items())
    return f"{{name: {entry['name']}, {kind}: {{{inside}}}}}"
