# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API server would refuse is refused before the first write, in one sentence."""

from __future__ import annotations

import os

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.apply.lock import Lock
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput, MeshError, Refused
from ansible_collections.meshops.istio.tests.integration.kube.place import Place, WatchedCluster, told
from ansible_collections.meshops.istio.tests.support.messages import has_facts

FINE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
data: {a: "1"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: fine}
"""

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: example.com/web}]}}
"""

BROKEN = {
    "a field that there is not": (SERVICE.replace("ports:", "prots:"), ".spec.prots: field not declared in schema"),
    "a value of the wrong type": (
        SERVICE.replace("port: 80", "port: eighty"),
        "(Service web) & spec.ports[0].port is text, but must be a number",
    ),
    "a value that is not allowed": (SERVICE.replace("port: 80", "port: 80000"), "must be between 1 and 65535"),
    "an item that is repeated": (
        SERVICE.replace("[{name: http, port: 80}", "[{name: http, port: 80}, {name: http2, port: 80}"),
        "(Service web) & spec.ports & duplicate port 80, protocol TCP",
    ),
    "a name that is not allowed": (SERVICE.replace("name: web", "name: We_b"), 'Invalid value: "We_b"'),
    "a namespace that there is not": (
        SERVICE.replace("name: web", "name: web, namespace: nowhere-at-all"),
        'namespaces "nowhere-at-all" not found',
    ),
    "a selector that does not select": (
        DEPLOYMENT.replace("{labels: {app: web}}", "{labels: {app: other}}"),
        "NAMESPACE/web & selector & app: web & pod template & app: other",
    ),
    "a secret that is not encoded": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\ndata: {password: 'sword fish'}",
        "illegal base64 data",
    ),
    "a kind that there is not": (SERVICE.replace("kind: Service", "kind: Servce"), "kind Servce & not found"),
    "a version that there is not": (
        DEPLOYMENT.replace("apps/v1", "apps/v1beta1"),
        "kind Deployment of apps/v1beta1 & not found & apps/v1.",
    ),
}


def refused(place: Place, *manifests: str, **more: object) -> MeshError:
    place.cluster.forget()
    with pytest.raises((Refused, InvalidInput)) as caught:
        place.run(*manifests, lock=Lock(f"{place.namespace}-lock"), **more)
    assert place.cluster.writes == []
    assert "\n" not in caught.value.message
    assert "valueUnstructured" not in caught.value.message
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
@pytest.mark.parametrize(("broken", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_the_server_does_not_accept(place: Place, broken: str, sentence: str, check: bool) -> None:
    assert has_facts(refused(place, FINE, broken, check=check).message, sentence.replace("NAMESPACE", place.namespace))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            DEPLOYMENT.replace("app: web", "app: other"),
            "cannot update & web & spec.selector is immutable",
        ),
        (SERVICE.replace("ports:", "prots:"), "field not declared in schema"),
    ],
)
def test_what_the_server_does_not_accept_of_what_is_there(place: Place, wanted: str, sentence: str) -> None:
    place.run(DEPLOYMENT, SERVICE)
    assert has_facts(refused(place, FINE, wanted).message, sentence)


def test_another_plan_than_the_one_that_was_seen(place: Place) -> None:
    digest = place.run(FINE, SERVICE, check=True).digest
    error = refused(place, FINE, expected_digest=digest)
    assert error.code == "plan_changed"
    assert told(place.run(FINE, SERVICE, expected_digest=digest))
    # A server that draws a node port anew for each rehearsal makes no other plan.
    wanted = SERVICE.replace("selector:", "type: NodePort, selector:")
    digest = place.run(FINE, wanted, check=True).digest
    assert told(place.run(FINE, wanted, expected_digest=digest)) == ["update Service web"]


def test_all_that_the_user_may_not_do_is_said_at_once(place: Place, cluster: WatchedCluster) -> None:
    place.run(SERVICE)
    user = f"{place.namespace}-user"
    place.run(f"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {{name: reader}}
        rules: [{{apiGroups: [""], resources: [configmaps, services, serviceaccounts], verbs: [get, list]}}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {{name: reader}}
        roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
        subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]
    """)
    options = {"kubeconfig": os.environ["KUBECONFIG"], "impersonate_user": user}
    reader = WatchedCluster.connect(options, user_agent="tests")
    assert isinstance(reader, WatchedCluster)
    theirs = Place(reader, place.namespace)
    error = refused(theirs, FINE, SERVICE.replace("80", "81"))
    assert error.code == "forbidden"
    where = f"in namespace {place.namespace}"
    for what in (f"create configmaps {where}", f"create serviceaccounts {where}", f"patch services {where}"):
        assert what in error.message
    assert "create leases.coordination.k8s.io in namespace default" in error.message


def test_a_role_that_grants_more_than_its_creator_has(place: Place) -> None:
    user = f"{place.namespace}-user"
    place.run(f"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {{name: {user}}}
        rules:
        - {{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [get, list, create, patch]}}
        - {{apiGroups: [coordination.k8s.io], resources: [leases], verbs: ["*"]}}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {{name: {user}}}
        roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {user}}}
        subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]
    """)
    options = {"kubeconfig": os.environ["KUBECONFIG"], "impersonate_user": user}
    creator = WatchedCluster.connect(options, user_agent="tests")
    assert isinstance(creator, WatchedCluster)
    error = refused(
        Place(creator, place.namespace),
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: $-more}
        rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
        """,
    )
    assert error.code == "forbidden"
    assert has_facts(error.message, "forbidden & escalate clusterroles.rbac.authorization.k8s.io & grant")
