# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory a mesh asks of a small cluster, by its profile and addons."""

from __future__ import annotations

from collections.abc import Iterable

KUBERNETES = 1200
"""What Kubernetes itself takes of a single node, in MiB."""

_GATEWAY = 128
_ISTIOD = 2048
# What the pods of a profile request, in MiB.
_PROFILES = {
    "ambient": _ISTIOD + 100 + 512,
    "demo": 100 + 2 * 40,
    "empty": 0,
    "minimal": _ISTIOD,
    "preview": _ISTIOD + _GATEWAY,
    "remote": 0,
}
_ANY_PROFILE = _ISTIOD + _GATEWAY
# What the addons of a release take when they run; most of them request less.
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
    """The memory in MiB below which a single node has no room for the mesh, applications aside."""
    mesh = _PROFILES.get(profile, _ANY_PROFILE)
    names = set(addons)
    if "all" in names:
        names = names - {"all"} | _ADDONS.keys() - _EXTRAS
    return KUBERNETES + mesh + sum(_ADDONS.get(name, _ANY_ADDON) for name in names)
