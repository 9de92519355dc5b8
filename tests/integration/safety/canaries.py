# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret of its own in every place where a user can give one, and where it could turn up."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "safety-secrets"
KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCANARYCANARYCANARY"


@dataclass
class Canaries:
    """Secrets by the place that they are given in; `values` makes one."""

    given: dict[str, str] = field(default_factory=dict)

    def new(self, place: str, value: str = "") -> str:
        """A secret that is given in `place`."""
        self.given[place] = value or f"canary-{len(self.given):02}-{place.lower().replace(' ', '-')[:24]}-9f3e7c"
        return self.given[place]

    def found(self, texts: Mapping[str, bytes]) -> dict[str, list[str]]:
        """The places of secrets that are among `texts`, as they are or encoded, with where they were found."""
        forms = {place: [value.encode(), base64.b64encode(value.encode())] for place, value in self.given.items()}
        return {
            place: where
            for place, ways in forms.items()
            if (where := [name for name, text in texts.items() if any(way in text for way in ways)])
        }


def secret(name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **content}


def applications(canaries: Canaries) -> list[dict[str, Any]]:
    """An application whose manifests hold secrets in each form that they can have."""
    new = canaries.new
    registry = {"auths": {"registry.example": {"username": "ci", "password": new("dockerconfigjson")}}}
    copy = json.dumps(secret("copied", stringData={"any": new("copy that kubectl keeps")}))
    copied = secret("copied", stringData={"any": "x"})
    copied["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": copy}
    key = f"-----BEGIN PRIVATE KEY-----\n{new('TLS key', KEY)}\n-----END PRIVATE KEY-----\n"
    container = {"name": "web", "image": "none", "env": [{"name": "DB_PASSWORD", "value": new("environment variable")}]}
    pods = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    deployment = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": pods}
    definition = [
        secret("text", stringData={"any": new("stringData of a Secret")}),
        secret("data", data={"any": base64.b64encode(new("data of a Secret").encode()).decode()}),
        {"apiVersion": "v1", "kind": "List", "items": [secret("listed", stringData={"any": new("Secret in a List")})]},
        yaml.safe_dump(secret("yaml", stringData={"any": new("Secret as a text")})),
        secret(
            "registry", type="kubernetes.io/dockerconfigjson", stringData={".dockerconfigjson": json.dumps(registry)}
        ),
        secret("key", stringData={"tls.key": key}),
        copied,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": deployment},
    ]
    return [{"name": "secrets", "namespace": NAMESPACE, "wait": False, "definition": definition}]


def variables(canaries: Canaries, source: str, overlays: Iterable[str]) -> dict[str, Any]:
    """Variables of the role mesh with secrets in all that can hold one."""
    new = canaries.new
    head = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}
    inline = {**head, "spec": {"values": {"pilot": {"env": {"OVERLAY_TOKEN": new("inline overlay")}}}}}
    kiali = {"external_services": {"grafana": {"auth": {"password": new("kiali.config")}}}}
    return {
        "mesh_profile": "minimal",
        "mesh_values": {"pilot": {"env": {"VALUES_PASSWORD": new("Helm values")}}},
        "mesh_set": [f"values.pilot.env.SET_TOKEN={new('set')}"],
        "mesh_overlays": [*overlays, inline],
        "mesh_release_source": [source, f"https://me:{new('password of a mirror')}@mirror.invalid/istio"],
        "mesh_release_proxy": f"http://me:{new('password of a proxy')}@proxy.invalid:3128",
        "mesh_addons_kiali_config": kiali,
        "mesh_create_namespaces": True,
        "mesh_applications": applications(canaries),
    }


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """The files below folders, with what they hold."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                yield str(path), path.read_bytes()
