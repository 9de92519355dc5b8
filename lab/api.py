# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Just enough of a Kubernetes client for the lab's own needs: ask, apply, wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import requests

from .errors import LabError
from .network import Network
from .paths import Lab

_PLURALS = {
    "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions",
    "EndpointSlice": "endpointslices",
    "IPAddressPool": "ipaddresspools",
    "Namespace": "namespaces",
    "Node": "nodes",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "StorageClass": "storageclasses",
}


class Api:
    """A lab's API server, as its administrator."""

    def __init__(self, lab: Lab, network: Network) -> None:
        self._server = f"https://{network.node}:6443"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy for the internet cannot reach a namespace of this machine
        self._session.cert = (str(lab.pki / "admin.crt"), str(lab.pki / "admin.key"))
        self._session.verify = str(lab.pki / "ca.crt")
        self._session.headers["User-Agent"] = "meshops-lab"

    def get(self, path: str) -> dict[str, Any] | None:
        """An object or a list; None where there is none, or no server that answers."""
        try:
            response = self._session.get(self._server + path, timeout=5)
        except requests.RequestException:
            return None
        return response.json() if response.ok else None

    def ready(self) -> bool:
        try:
            return self._session.get(f"{self._server}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    def apply(self, document: dict[str, Any]) -> None:
        """Create an object or bring it to what `document` says."""
        url = f"{self._server}{_path(document)}?fieldManager=meshops-lab&force=true"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        try:
            response = self._session.patch(url, data=json.dumps(document), headers=headers, timeout=15)
        except requests.RequestException as e:
            raise LabError(f"The lab's API server at {self._server} does not answer.") from e
        if not response.ok:
            message = response.json().get("message", response.text)
            raise LabError(f"The lab's API server refused {document['kind']} {document['metadata']['name']}: {message}")


def _path(document: dict[str, Any]) -> str:
    version, metadata = document["apiVersion"], document["metadata"]
    base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{base}{namespace}/{_PLURALS[document['kind']]}/{metadata['name']}"


def until(condition: Callable[[], bool], what: str, *, limit: float, advice: str) -> None:
    """Wait for a condition; after `limit` seconds a LabError says what did not happen and where to look."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what} within {limit:.0f} s: {advice}")
        time.sleep(0.05)
