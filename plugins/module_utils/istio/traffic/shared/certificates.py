# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the Secrets with a gateway's certificates are where it looks for them, and complete."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.errors import ApiError
from ....kube.objects.objects import Kind
from .problems import Problem

SECRET = Kind("v1", "Secret")

_PAIRS = (("tls.crt", "tls.key"), ("cert", "key"))
_AUTHORITIES = ("ca.crt", "cacert")
_MUTUAL = frozenset({"MUTUAL", "OPTIONAL_MUTUAL"})


def secret_problems(cluster: Cluster, namespace: str, name: str, mode: str) -> Iterator[Problem]:
    """What is wrong with a certificate's Secret for a gateway that runs in `namespace`. Shows none of its content."""
    details = {"secret": name, "namespace": namespace}
    try:
        secret = cluster.get(SECRET, name, namespace)
        if secret is None:
            others = _elsewhere(cluster, name)
            there = f"it is in {', '.join(others)}" if others else "there is none of that name anywhere"
            yield Problem(
                f"There is no Secret {name} in namespace {namespace}, where the gateway runs ({there}): create it there.",
                "secret_missing",
                details={**details, "found_in": others},
            )
            return
        keys = set(secret.get("data") or {})
        if not any(keys.issuperset(pair) for pair in _PAIRS):
            yield Problem(
                f"Secret {namespace}/{name} holds no certificate with its key: it needs tls.crt and tls.key.",
                "secret_incomplete",
                details=details,
            )
        if mode in _MUTUAL and not keys.intersection(_AUTHORITIES):
            companion = cluster.get(SECRET, f"{name}-cacert", namespace) or {}
            if not set(companion.get("data") or {}).intersection(_AUTHORITIES):
                yield Problem(
                    f"Secret {namespace}/{name} holds no CA certificates to check clients with: add ca.crt to it, "
                    f"or to a Secret {name}-cacert.",
                    "secret_incomplete",
                    details=details,
                )
    except ApiError as error:
        if error.status != 403:
            raise
        yield Problem(
            f"Secret {namespace}/{name} was not looked at, since the user may not read it.", "forbidden", fatal=False
        )


def _elsewhere(cluster: Cluster, name: str) -> list[str]:
    try:
        found = cluster.list(SECRET, field_selector=f"metadata.name={name}")
    except ApiError:
        return []
    return sorted(secret["metadata"]["namespace"] for secret in found)
