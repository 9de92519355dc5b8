# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the Secrets of a gateway's certificates: namespace and keys."""

from __future__ import annotations

from collections.abc import Iterator

from ....kube.api.cluster import Cluster
from ....kube.errors import ApiError
from ....kube.objects.kinds import SECRET
from .problems import Problem

_PAIRS = (("tls.crt", "tls.key"), ("cert", "key"))
_AUTHORITIES = ("ca.crt", "cacert")
_MUTUAL = frozenset({"MUTUAL", "OPTIONAL_MUTUAL"})


def secret_problems(cluster: Cluster, namespace: str, name: str, mode: str) -> Iterator[Problem]:
    """Yield a problem for a certificate's Secret of a gateway in `namespace`, without its content."""
    details = {"secret": name, "namespace": namespace}
    try:
        secret = cluster.get(SECRET, name, namespace)
        if secret is None:
            others = _elsewhere(cluster, name)
            there = f", but in namespace {', '.join(others)}" if others else " or in any other namespace"
            yield Problem(
                f"Secret {namespace}/{name} not found in the namespace of the gateway{there}. Create it in namespace"
                f" {namespace}.",
                "secret_missing",
                details={**details, "found_in": others},
            )
            return
        keys = set(secret.get("data") or {})
        if not any(keys.issuperset(pair) for pair in _PAIRS):
            yield Problem(
                f"Secret {namespace}/{name} has no certificate with its key: tls.crt or tls.key not found in it. Add both.",
                "secret_incomplete",
                details=details,
            )
        if mode in _MUTUAL and not keys.intersection(_AUTHORITIES):
            companion = cluster.get(SECRET, f"{name}-cacert", namespace) or {}
            if not set(companion.get("data") or {}).intersection(_AUTHORITIES):
                yield Problem(
                    f"Secret {namespace}/{name} has no CA certificate to verify clients: ca.crt not found in it. Add ca.crt"
                    f" to it, or to Secret {namespace}/{name}-cacert.",
                    "secret_incomplete",
                    details=details,
                )
    except ApiError as error:
        if error.status != 403:
            raise
        yield Problem(
            f"Secret {namespace}/{name} was not checked: reading it is forbidden. Grant the user the permission to get"
            " Secrets, or check that it has tls.crt and tls.key.",
            "forbidden",
            fatal=False,
        )


def _elsewhere(cluster: Cluster, name: str) -> list[str]:
    try:
        found = cluster.list(SECRET, field_selector=f"metadata.name={name}")
    except ApiError:
        return []
    return sorted(secret["metadata"]["namespace"] for secret in found)
