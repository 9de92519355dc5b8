# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Estimate the memory that a mesh needs on a single node, by profile and addons."""

from __future__ import annotations

from collections.abc import Iterable

KUBERNETES = 1200
"""Memory that Kubernetes needs on a single node, in MiB."""

_GATEWAY = 128
_ISTIOD = 2048
# Memory requests of the pods of a profile, in MiB.
_PROFILES = {
    "ambient": _ISTIOD + 100 + 512,
    "demo": 100 + 2 * 40,
    "empty": 0,
    "minimal": _ISTIOD,
    "preview": _ISTIOD + _GATEWAY,
    "remote": 0,
}
_ANY_PROFILE = _ISTIOD + _GATEWAY
# Memory use of running addons, in MiB; most of them request less.
_ADDONS = {
    "grafana": 200,
    "jaeger": 200,
    "kiali": 150,
    "loki": 400,
    "prometheus": 400,
    "skywalking": 1000,
    "zipkin": 300,
}
_ANY_ADDON = 200
_EXTRAS = frozenset({"skywalking", "zipkin"})


def needed_memory(profile: str, addons: Iterable[str] = ()) -> int:
    """Return the memory in MiB that a single node needs for the mesh, without applications."""
    mesh = _PROFILES.get(profile, _ANY_PROFILE)
    names = set(addons)
    if "all" in names:
        names = names - {"all"} | _ADDONS.keys() - _EXTRAS
    return KUBERNETES + mesh + sum(_ADDONS.get(name, _ANY_ADDON) for name in names)
