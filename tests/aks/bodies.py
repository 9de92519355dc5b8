# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bodies of requests and answers, held against the models of Azure's own SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.meshops.istio.tests.aks.refusals import malformed
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.resource.resources import ResourceManagementClient

CLUSTERS = "2024-08-01"
GROUPS = "2022-09-01"
ORCHESTRATORS = "2019-04-01"
SUBSCRIPTIONS = "2022-12-01"

MODELS = {
    "ManagedCluster": ContainerServiceClient.models(CLUSTERS).ManagedCluster,
    "ResourceGroup": ResourceManagementClient.models(GROUPS).ResourceGroup,
}


def read(name: str, body: Any) -> dict[str, Any]:
    """The body of a request, if the SDK's model `name` knows all of it; raises Refusal for anything else."""
    if not isinstance(body, dict):
        raise malformed(f"The request's body is no {name}.")
    known = MODELS[name].deserialize(body).serialize(keep_readonly=True)
    for path in _unknown(body, known):
        raise malformed(f"Could not find member '{path}' on object of type '{name}'.")
    return body


def _unknown(given: Any, known: Any, path: str = "") -> Iterator[str]:
    """The paths of what the model has dropped."""
    if isinstance(given, Mapping):
        for key, value in given.items():
            here = f"{path}.{key}" if path else str(key)
            if value is None:
                continue
            if not isinstance(known, Mapping) or key not in known:
                yield here
            else:
                yield from _unknown(value, known[key], here)
    elif isinstance(given, list) and isinstance(known, list):
        for index, (one, kept) in enumerate(zip(given, known, strict=False)):
            yield from _unknown(one, kept, f"{path}[{index}]")
