# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that are documented, and a user who has all of them, or all but one."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import yaml
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.transport import Transport
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.yaml"
USER = "it-rights"
_API = "rbac.authorization.k8s.io/v1"
_GROUP = "rbac.authorization.k8s.io"
_PATIENCE = 60.0  # seconds for the API server to know a role by: less than one on an idle machine


class Right(NamedTuple):
    """One verb on one resource."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        plural, slash, part = self.resource.partition("/")
        return f"{self.verb} {plural}" + (f".{self.group}" if self.group else "") + slash + part


def documented() -> dict[str, frozenset[Right]]:
    """The rights of each role of the document, by its name without what all their names begin with."""
    return {
        role["metadata"]["name"].removeprefix("meshops-istio-"): frozenset(
            Right(group, resource, verb)
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        )
        for role in yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["items"]
    }


@contextlib.contextmanager
def asked_for() -> Iterator[set[Right]]:
    """The rights that this process uses meanwhile, or asks the API server whether it has them."""
    found: set[Right] = set()
    request = Transport.request

    def noted(self: Transport, method: str, path: str, body: Any = None, **how: Any) -> Any:
        found.add(_reviewed(body) if path.endswith("/selfsubjectaccessreviews") else _used(method, path))
        return request(self, method, path, body, **how)

    with patch.object(Transport, "request", noted):
        yield found


def _reviewed(review: dict[str, Any]) -> Right:
    named = review["spec"]["resourceAttributes"]
    resource = "/".join(filter(None, (named["resource"], named.get("subresource"))))
    return Right(named.get("group", ""), resource, named["verb"])


_PATH = re.compile(
    r"/apis?/(?:([^/]+\.[^/]+|apps|batch|autoscaling|policy)/)?v[^/]+/(?:namespaces/[^/]+/)?([^/]+)(/.+)?"
)
_VERBS = {"PATCH": "patch", "POST": "create", "PUT": "update", "DELETE": "delete"}


def _used(method: str, path: str) -> Right:
    found = _PATH.fullmatch(path)
    group, resource, name = found.groups("") if found else ("", path, "")
    return Right(group, resource, _VERBS.get(method) or ("get" if name else "list"))


class Account:
    """A user of the cluster, as whom its administrator may act."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._held: frozenset[Right] = frozenset()
        reference = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": USER}
        binding = {"roleRef": reference, "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": USER}]}
        cluster.apply(_object("ClusterRole", rules=[]), manager="tests")
        cluster.apply(_object("ClusterRoleBinding", **binding), manager="tests")

    def hold(self, rights: frozenset[Right]) -> None:
        """Give the user just these rights."""
        rules = [{"apiGroups": [one.group], "resources": [one.resource], "verbs": [one.verb]} for one in sorted(rights)]
        self._cluster.apply(_object("ClusterRole", rules=rules), manager="tests")
        # The server's authorizer hears of a role as a whole, so that one right tells of all.
        for right in sorted(self._held ^ rights)[:1]:
            self._until(right, allowed=right in rights)
        self._held = rights

    def remove(self) -> None:
        """Remove what makes the user one."""
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            self._cluster.delete(Kind(_API, kind), USER)

    def _until(self, right: Right, *, allowed: bool) -> None:
        """Wait for the authorizer, which hears of a role by a watch, a moment later."""
        attributes = right._asdict()
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": USER, "resourceAttributes": attributes},
        }
        deadline = time.monotonic() + _PATIENCE
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        while self._cluster.raw("POST", path, review)["status"]["allowed"] != allowed:
            assert time.monotonic() < deadline, f"the API server does not hear of '{right}'"
            time.sleep(0.02)


def _object(kind: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": USER}, **content}
