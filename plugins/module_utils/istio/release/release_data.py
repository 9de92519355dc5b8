# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published about Istio's releases: support, security bulletins, registries. See `releases` for the questions.

Each row has its source and the day on which it was looked up. None: not found there. The form is that of a user's file
(`release_data`), which is laid over it.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

_SUPPORT = "https://istio.io/latest/docs/releases/supported-releases/"
_END_OF_LIFE = "https://endoflife.date/istio"
_DOCKER_HUB = "docker.io/istio"
_ISTIO_REGISTRY = "registry.istio.io/release"
_LOOKED_UP = "2026-11-30"

_GATEWAY_API_KINDS = {"BackendTLSPolicy": {"from": "v1.4.0"}, "GRPCRoute": {"from": "v1.1.0"}}
_WITH_TCP = {**_GATEWAY_API_KINDS, "TCPRoute": {"from": "v1.6.0"}, "TLSRoute": {"from": "v1.5.0"}}


def _ended(kubernetes: str, released: str, end_of_life: str, newest: str, envoy: str | None = None) -> Row:
    """Return the row of a release whose support ended before its other data were collected."""
    return {
        "kubernetes": kubernetes,
        "released": released,
        "end_of_life": end_of_life,
        "estimated": False,
        "newest": newest,
        "gateway_api": None,
        "gateway_api_kinds": {},
        "hub": _DOCKER_HUB,
        "samples_hub": _DOCKER_HUB,
        "envoy": envoy,
        "new_kinds": None,
        "removed_kinds": None,
        "source": _END_OF_LIFE,
        "looked_up": _LOOKED_UP,
    }


RELEASES: dict[str, Row] = {
    "1.8": _ended("1.16-1.19", "2020-11-19", "2021-05-12", "1.8.6"),
    "1.9": _ended("1.17-1.20", "2021-02-09", "2021-10-08", "1.9.9"),
    "1.10": _ended("1.18-1.21", "2021-05-18", "2022-01-07", "1.10.6"),
    "1.11": _ended("1.18-1.22", "2021-08-12", "2022-03-25", "1.11.8"),
    "1.12": _ended("1.19-1.22", "2021-11-18", "2022-07-12", "1.12.9"),
    "1.13": _ended("1.20-1.23", "2022-02-11", "2022-10-12", "1.13.9"),
    "1.14": _ended("1.21-1.24", "2022-06-01", "2022-12-27", "1.14.6"),
    "1.15": _ended("1.22-1.25", "2022-08-31", "2023-04-04", "1.15.7"),
    "1.16": _ended("1.22-1.25", "2022-11-15", "2023-07-25", "1.16.7", "1.24"),
    "1.17": _ended("1.23-1.26", "2023-02-14", "2023-10-27", "1.17.8", "1.25"),
    "1.18": _ended("1.24-1.27", "2023-06-07", "2024-01-04", "1.18.7", "1.26"),
    "1.19": _ended("1.25-1.28", "2023-09-05", "2024-04-24", "1.19.10"),
    "1.20": _ended("1.25-1.29", "2023-11-14", "2024-06-25", "1.20.8"),
    "1.21": _ended("1.26-1.29", "2024-03-13", "2024-09-27", "1.21.6"),
    "1.22": _ended("1.27-1.30", "2024-05-13", "2025-01-22", "1.22.8"),
    "1.23": _ended("1.27-1.30", "2024-08-14", "2025-04-16", "1.23.6"),
    "1.24": _ended("1.28-1.31", "2024-11-07", "2025-06-24", "1.24.6"),
    "1.25": _ended("1.29-1.32", "2025-03-03", "2025-09-30", "1.25.5"),
    "1.26": _ended("1.29-1.33", "2025-05-08", "2025-12-22", "1.26.8"),
    "1.27": _ended("1.29-1.33", "2025-08-11", "2026-03-30", "1.27.9"),
    "1.28": {
        "kubernetes": "1.30-1.34",
        "released": "2025-11-05",
        "end_of_life": "2026-07-01",
        "estimated": False,
        "newest": "1.28.10",
        "gateway_api": "v1.4.0",
        "gateway_api_kinds": _GATEWAY_API_KINDS,
        "hub": _DOCKER_HUB,
        "samples_hub": _DOCKER_HUB,
        "envoy": "1.36",
        "new_kinds": [],
        "removed_kinds": [],
        "source": _SUPPORT,
        "looked_up": _LOOKED_UP,
    },
    "1.29": {
        "kubernetes": "1.31-1.35",
        "released": "2026-02-16",
        "end_of_life": "2026-10-12",
        "estimated": False,
        "newest": "1.29.10",
        "gateway_api": "v1.4.0",
        # istio#59443: 1.29.1 is never ready with newer ones, 1.29.2 ignores their TLSRoutes.
        "gateway_api_kinds": {**_GATEWAY_API_KINDS, "TLSRoute": {"below": "v1.5.0"}},
        "hub": _DOCKER_HUB,
        "samples_hub": _DOCKER_HUB,
        "envoy": "1.37",
        "new_kinds": [],
        "removed_kinds": [],
        "source": _SUPPORT,
        "looked_up": _LOOKED_UP,
    },
    "1.30": {
        "kubernetes": "1.32-1.36",
        "released": "2026-05-18",
        # Six weeks after 1.32.
        "end_of_life": "2026-12-31",
        "estimated": True,
        "newest": "1.30.8",
        "gateway_api": "v1.5.1",
        "gateway_api_kinds": {**_GATEWAY_API_KINDS, "TLSRoute": {"from": "v1.5.0"}},
        "hub": _ISTIO_REGISTRY,
        "samples_hub": _ISTIO_REGISTRY,
        "envoy": "1.38",
        "new_kinds": ["TrafficExtension"],
        "removed_kinds": [],
        "source": _SUPPORT,
        "looked_up": _LOOKED_UP,
    },
    "1.31": {
        "kubernetes": "1.32-1.37",
        "released": "2026-08-31",
        "end_of_life": "2027-02-28",
        "estimated": True,
        "newest": "1.31.4",
        "gateway_api": "v1.6.0",
        "gateway_api_kinds": _WITH_TCP,
        "hub": _DOCKER_HUB,
        "samples_hub": _ISTIO_REGISTRY,
        "envoy": "1.39",
        "new_kinds": [],
        "removed_kinds": [],
        "source": _SUPPORT,
        "looked_up": _LOOKED_UP,
    },
    # Only the tag of its API was found, no announcement.
    "1.32": {
        "kubernetes": "1.32-1.37",
        "released": None,
        "end_of_life": None,
        "estimated": True,
        "newest": "1.32.0",
        "gateway_api": None,
        "gateway_api_kinds": _WITH_TCP,
        "hub": _DOCKER_HUB,
        "samples_hub": None,
        "envoy": None,
        "new_kinds": None,
        "removed_kinds": None,
        "source": "https://pkg.go.dev/istio.io/api?tab=versions",
        "looked_up": _LOOKED_UP,
    },
}
"""By minor version.

kubernetes: the supported minor versions. released, end_of_life: days; `estimated`: the end of life is not announced yet.
newest: the newest patch that was seen. gateway_api: the version that the release is built with. gateway_api_kinds: by kind,
`from` which version of the Gateway API istiod reads its CRD, or `below` which; it ignores others. hub,
samples_hub: the registry in the charts and in the samples. envoy: the series of its proxy. new_kinds, removed_kinds:
Istio's kinds, compared with the release before.
"""


REGISTRIES: dict[str, Row] = {
    _ISTIO_REGISTRY: {
        "retired": "2026-12",
        "replacement": _DOCKER_HUB,
        "source": "https://istio.io/latest/blog/2026/retirement-of-gcp/",
        "looked_up": _LOOKED_UP,
    },
    "gcr.io/istio-release": {
        "retired": "2026-12",
        "replacement": _DOCKER_HUB,
        "source": "https://istio.io/latest/blog/2026/retirement-of-gcp/",
        "looked_up": _LOOKED_UP,
    },
}
"""Registries that are retired: the month, and where the images are then."""

SAFE_REMOTE_SECRETS = ("1.29.8", "1.30.5", "1.31.1")
"""The first patch of each minor version whose `istioctl analyze` does not run exec plugins of remote secrets.

Newer minor versions never do; older ones always do. From the announcement of 1.31.1.
"""
