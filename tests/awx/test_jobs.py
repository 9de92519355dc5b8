# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The templates' playbooks as jobs of AWX, over a fleet of three clusters.

The tests build on each other, hence one file of over 400 lines.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.objects.objects import Kind
from ansible_collections.meshops.istio.tests.awx.conftest import CONTEXTS, Fleet
from ansible_collections.meshops.istio.tests.awx.jobs import (
    TOKEN_TYPE,
    Controller,
    Credential,
    Job,
    NotLaunched,
    accepted,
)
from ansible_collections.meshops.istio.tests.integration.safety.canaries import Canaries, applications
from ansible_collections.meshops.istio.tests.integration.safety.canaries import variables as secret_variables
from ansible_collections.meshops.istio.tests.support.lab import Lab, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tools.default_version import default_version

Object = dict[str, Any]
Hosts = dict[str, Object]
DEPLOYMENT = Kind("apps/v1", "Deployment")
CONFIG = Kind("v1", "ConfigMap")

# An answer of every type that a survey asks for; what was left blank comes as blank text.
ANSWERS: Object = {
    "mesh_profile": "default",
    "mesh_revision": "",
    "mesh_set": "meshConfig.accessLogEncoding=JSON\nmeshConfig.enableTracing=true\n",
    "mesh_ingress_type": "ClusterIP",
    "mesh_restart": "false",
    "mesh_restart_max_unavailable": 3,
    "mesh_addons_tracing_sampling": 2.5,
    "mesh_precheck_fail_on": "never",
}
# What AWX itself refuses, before there is a job.
REFUSED: dict[str, tuple[Object, str]] = {
    "number": ({"mesh_wait_timeout": "soon"}, "Value soon for 'mesh_wait_timeout' expected to be an integer."),
    "flag": ({"mesh_restart": "perhaps"}, "Value perhaps for 'mesh_restart' expected to be one of ['true', 'false']."),
    "choice": ({"mesh_ingress_type": "nodeport"}, "Value nodeport for 'mesh_ingress_type' expected to be one of"),
    "fraction": (
        {"mesh_addons_tracing_sampling": "x"},
        "'mesh_addons_tracing_sampling' expected to be a numeric type.",
    ),
    "text": ({"mesh_profile": 1}, "Value 1 for 'mesh_profile' expected to be a string."),
}
# What comes past AWX, as variables of a launch do, is refused by the role, all of it at once.
WRONG: dict[str, tuple[Any, str]] = {
    "mesh_wait_timeout": ("soon", "mesh_wait_timeout must be a whole number, but it is 'soon'."),
    "mesh_restart": ("perhaps", "mesh_restart must be true or false, but it is 'perhaps'."),
    "mesh_ingress_type": ("nodeport", "mesh_ingress_type must be one of NodePort, LoadBalancer, ClusterIP, but it is"),
    "mesh_addons_tracing_sampling": ("much", "mesh_addons_tracing_sampling must be a number, but it is 'much'."),
    "mesh_set": ({"a": "b"}, "mesh_set must be a list"),
    "mesh_profile": (["demo"], "mesh_profile must be text, but it is ['demo']."),
}


@pytest.fixture(scope="module")
def hosts(controller: Controller, fleet: Fleet) -> Hosts:
    """The inventory, as AWX keeps it."""
    return controller.inventory("inventories/meshes.yml", fleet.credential())


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    """The secrets that are given at each launch."""
    return Canaries()


@pytest.fixture(scope="module")
def variables(fleet: Fleet, canaries: Canaries) -> Object:
    """What is given at each launch: with a secret in all that takes one, apart from applications."""
    given = secret_variables(canaries, fleet.site["mesh_release_source"], fleet.site["mesh_overlays"])
    del given["mesh_applications"]
    # A played pod has no port to ask at.
    own = {"mesh_profile": "minimal", "mesh_verify_proxies": False}
    return {**given, "mesh_version": fleet.site["mesh_version"], **own}


@pytest.fixture(scope="module")
def run(
    controller: Controller, hosts: Hosts, fleet: Fleet, variables: Object, canaries: Canaries
) -> Callable[..., Job]:
    """Run a job on the fleet, which shows no secret."""

    def job(playbook: str, **others: Any) -> Job:
        done = controller.run(playbook, hosts, {**variables, **others}, fleet.credential())
        assert [secret for secret in fleet.secrets if secret in done.text] == []
        assert canaries.found({"job": done.text.encode()}) == {}
        return done

    return job


@pytest.fixture
def writes(fleet: Fleet) -> Callable[[], int]:
    """How many writes the clusters have seen since the test began."""
    begun, labs = now(), [Lab(name) for name in fleet.labs.values()]
    return lambda: sum(lab.writes_since(begun) for lab in labs)


def succeeded(job: Job) -> None:
    assert job.status == "successful", (job.failures, job.stdout[-4000:])


def test_the_inventory_has_a_host_for_each_context_and_nothing_of_the_credential(hosts: Hosts, fleet: Fleet) -> None:
    assert set(hosts) == set(CONTEXTS)
    for context, variables in hosts.items():
        # What a plugin reads is marked as no template, and the mark goes the way through AWX.
        assert variables["mesh_context"] == {"__ansible_unsafe": context}
        # The credential's file has another name in each job.
        assert "mesh_kubeconfig" not in variables
        # The project has variables for all of them.
        assert variables["mesh_version"] == default_version()
    assert [secret for secret in fleet.secrets if secret in json.dumps(hosts)] == []


@pytest.mark.parametrize("name", REFUSED)
def test_awx_refuses_an_answer_that_cannot_be_meant(surveys: dict[str, Object], name: str) -> None:
    answers, sentence = REFUSED[name]
    with pytest.raises(NotLaunched) as refused:
        accepted(surveys["site"], answers)
    assert sentence in str(refused.value)


def test_the_role_refuses_what_comes_past_awx(run: Callable[..., Job], writes: Callable[[], int]) -> None:
    job = run("site.yml", **{name: value for name, (value, _) in WRONG.items()})
    assert job.status == "failed"
    assert set(job.failures) == set(CONTEXTS)
    for message in job.failures.values():
        assert [sentence for _, sentence in WRONG.values() if sentence not in message] == []
        assert "\n" not in message
    # What went wrong is an artifact as well.
    assert {host: result["error"]["message"] for host, result in job.result.items()} == job.failures
    assert writes() == 0


def test_a_job_without_a_credential_says_so(controller: Controller, variables: Object) -> None:
    job = controller.run("precheck.yml", {"new-cluster": {}}, variables, None)
    assert job.status == "failed"
    assert has_facts(job.failures["new-cluster"], "not found & set kubeconfig & set host")
    assert job.failures["new-cluster"].endswith("and AWX a credential).")


def test_without_the_release_and_without_a_network_it_is_said_what_to_provide(
    run: Callable[..., Job], fleet: Fleet
) -> None:
    job = run("precheck.yml", mesh_release_source="", mesh_release_proxy="http://127.0.0.1:1")
    assert job.status == "failed"
    for message in job.failures.values():
        version = fleet.site["mesh_version"]
        assert has_facts(message, f"cannot download Istio {version} & https:// & set source & istio-{version}-linux-")
        assert message.endswith("mirror (the role mesh has mesh_release_source for it).")


def test_without_its_python_requirements_it_says_how_to_have_them(
    controller: Controller, hosts: Hosts, fleet: Fleet, variables: Object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Python reads this before anything else: it hides a package as if it were not installed.
    shim = tmp_path_factory.mktemp("shim")
    (shim / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "found = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: None if name == 'kubernetes' else found(name, *rest)\n"
    )
    job = controller.run(
        "precheck.yml", {"east": hosts["east"]}, variables, fleet.credential(), environment={"PYTHONPATH": str(shim)}
    )
    assert has_facts(job.failures["east"], "Python package kubernetes & not found")
    assert "-m pip install jmespath kubernetes PyYAML" in job.failures["east"]


def test_nothing_is_applied_that_nobody_planned(run: Callable[..., Job], writes: Callable[[], int]) -> None:
    job = run("apply.yml")
    assert job.status == "failed"
    assert job.failures["east"].startswith("There is no approved plan for east; launch the workflow")
    assert writes() == 0


def test_the_workflow_carries_out_exactly_the_approved_plan(
    run: Callable[..., Job], writes: Callable[[], int], fleet: Fleet
) -> None:
    precheck = run("precheck.yml")
    succeeded(precheck)
    plan = run("plan.yml", **precheck.artifact)
    succeeded(plan)
    assert set(plan.result) == set(CONTEXTS)
    assert all(one["planned"] and one["changes"] and len(one["plan_digest"]) == 64 for one in plan.result.values())
    assert writes() == 0

    # What fits no more is not carried out.
    other = run("apply.yml", **plan.artifact, mesh_set="meshConfig.accessLogFile=/dev/stdout")
    assert other.status == "failed"
    assert all("changed since it was approved" in said for said in other.failures.values())
    # Nor is a cluster touched that was not planned for.
    partly = {"mesh_result": {"east": plan.result["east"]}}
    few = run("apply.yml", **partly, mesh_target_hosts="west")
    assert few.failures == {"west": few.failures["west"]}
    assert writes() == 0

    applied = run("apply.yml", **plan.artifact)
    succeeded(applied)
    for context, result in applied.result.items():
        assert result["changes"] == plan.result[context]["changes"]
        assert fleet.cluster(context).get(DEPLOYMENT, "istiod", "istio-system")
    # The artifact of the step before is a variable of this one, over the fact of its name.
    assert "to create, " not in applied.stdout

    verified = run("verify.yml", **applied.artifact)
    succeeded(verified)
    assert set(verified.result) == set(CONTEXTS)
    assert all(result["checks"] for result in verified.result.values())

    again = run("site.yml")
    succeeded(again)
    assert {context: result["changes"] for context, result in again.result.items()} == {
        context: [] for context in CONTEXTS
    }


def test_answers_of_every_type_are_understood(
    run: Callable[..., Job], surveys: dict[str, Object], fleet: Fleet, variables: Object
) -> None:
    job = run("site.yml", **{**accepted(surveys["site"], ANSWERS), **fleet.site})
    succeeded(job)
    found = fleet.cluster("east").get(CONFIG, "istio", "istio-system")
    assert found
    assert "accessLogEncoding: JSON" in found["data"]["mesh"]
    assert "enableTracing: true" in found["data"]["mesh"]


def test_an_application_is_added_and_nothing_else(
    run: Callable[..., Job], surveys: dict[str, Object], fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("manifests")
    sources = [folder / "first.yaml", folder / "second.yaml"]
    for path in sources:
        path.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {path.stem}}}\n")
    answers = {
        "application_name": "settings",
        "application_namespace": "awx-settings",
        "application_src": "\n".join(map(str, sources)),
        "application_create_namespaces": "true",
    }
    with pytest.raises(NotLaunched, match="'application_name' value missing"):
        accepted(surveys["application"], {})
    job = run("application.yml", **accepted(surveys["application"], answers))
    succeeded(job)
    for result in job.result.values():
        assert sorted(change["name"] for change in result["changes"]) == ["awx-settings", "first", "second"]
    assert all(fleet.cluster(context).get(CONFIG, "second", "awx-settings") for context in CONTEXTS)


def test_an_application_with_secrets_shows_none(run: Callable[..., Job], canaries: Canaries, fleet: Fleet) -> None:
    units = applications(canaries)
    for playbook in ("plan.yml", "site.yml"):
        job = run(playbook, mesh_applications=units)
        succeeded(job)
    handed = [{name: unit[name] for name in ("name", "namespace")} for unit in units]
    assert {context: result["applications"] for context, result in job.result.items()} == dict.fromkeys(
        CONTEXTS, handed
    )
    assert fleet.cluster("east").get(Kind("v1", "Secret"), "registry", units[0]["namespace"])


ROUTE: Object = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "reviews", "namespace": "default"},
    "spec": {
        "hosts": ["reviews"],
        "http": [
            {
                "route": [
                    {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100},
                    {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0},
                ]
            }
        ],
    },
}


@pytest.fixture
def gate() -> Iterator[str]:
    """The URL of what answers every request; played pods have no traffic."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_route_moves_by_the_answers_of_a_survey(
    controller: Controller, surveys: dict[str, Object], fleet: Fleet, hosts: Hosts, gate: str
) -> None:
    cluster = fleet.cluster("east")
    cluster.apply(ROUTE, manager="tests")
    # The gate is the inventory's; the rest is asked for, a weight a line.
    answers = {"canary_name": "reviews", "canary_subset": "v2", "canary_steps": "50\n100\n", "canary_interval": 0.1}
    east = {"east": {**hosts["east"], "canary_answers": {"url": gate, "count": 3}}}
    credential = fleet.credential()
    job = controller.run("canary.yml", east, accepted(surveys["canary"], answers), credential)
    succeeded(job)
    moved = cluster.get(Kind(ROUTE["apiVersion"], "VirtualService"), "reviews", "default")
    assert moved
    assert [one.get("weight", 0) for one in moved["spec"]["http"][0]["route"]] == [0, 100]

    wrong = {"canary_name": "reviews", "canary_subset": "v2", "canary_steps": "half"}
    refused = controller.run("canary.yml", east, wrong, credential)
    assert "canary_steps[0] must be a whole number, but it is 'half'." in refused.failures["east"]


def token(cluster: Cluster) -> str:
    """A token of an account that may do everything, as the built-in credential has one."""
    name = "awx-tests"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "kube-system"}}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}],
    }
    for one in (account, binding):
        cluster.apply(one, manager="tests")
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = cluster.raw("POST", f"/api/v1/namespaces/kube-system/serviceaccounts/{name}/token", asked)
    assert isinstance(made, dict)
    return str(made["status"]["token"])


def test_the_built_in_credential_with_a_token_works(
    controller: Controller, fleet: Fleet, variables: Object, surveys: dict[str, Object]
) -> None:
    entry = next(one["cluster"] for one in fleet.kubeconfig["clusters"] if one["name"] == "west")
    bearer = token(fleet.cluster("west"))
    authority = base64.b64decode(entry["certificate-authority-data"]).decode()
    inputs = {"host": entry["server"], "bearer_token": bearer, "ssl_ca_cert": authority}
    job = controller.run("plan.yml", {"west": {}}, variables, Credential(TOKEN_TYPE, inputs))
    succeeded(job)
    assert job.result["west"]["server"] == entry["server"]
    assert bearer not in job.text

    # By a survey, whose answer AWX keeps as a secret, before there is a credential.
    answers = {"mesh_host": entry["server"], "mesh_api_key": bearer, "mesh_validate_certs": "false"}
    looked = controller.run(
        "precheck.yml", {"new-cluster": {}}, {**variables, **accepted(surveys["cluster"], answers)}, None
    )
    succeeded(looked)
    assert bearer not in looked.text


def test_removal_wants_to_be_confirmed(
    run: Callable[..., Job], surveys: dict[str, Object], writes: Callable[[], int], fleet: Fleet
) -> None:
    with pytest.raises(NotLaunched, match="'mesh_uninstall_confirm' value missing"):
        accepted(surveys["uninstall"], {})
    refused = run("uninstall.yml", **accepted(surveys["uninstall"], {"mesh_uninstall_confirm": "false"}))
    assert refused.status == "failed"
    assert all(said.startswith("Nothing was removed, because") for said in refused.failures.values())
    assert writes() == 0
    removed = run("uninstall.yml", **accepted(surveys["uninstall"], {"mesh_uninstall_confirm": "true"}))
    succeeded(removed)
    assert [fleet.cluster(context).get(DEPLOYMENT, "istiod", "istio-system") for context in CONTEXTS] == [None] * 3


def test_three_workers_bring_a_cluster_each(
    controller: Controller, hosts: Hosts, fleet: Fleet, surveys: dict[str, Object]
) -> None:
    variables = {**accepted(surveys["site"], ANSWERS), **fleet.site}

    def job(context: str) -> Job:
        return controller.stream("site.yml", {context: hosts[context]}, variables, fleet.credential(context))

    with ThreadPoolExecutor(len(CONTEXTS)) as pool:
        jobs = dict(zip(CONTEXTS, pool.map(job, CONTEXTS), strict=True))
    for context, done in jobs.items():
        succeeded(done)
        assert set(done.result) == {context}
        assert done.result[context]["changed"]
        assert fleet.cluster(context).get(DEPLOYMENT, "istiod", "istio-system")
        assert [secret for secret in fleet.secrets if secret in done.text] == []
    assert len({done.result[context]["server"] for context, done in jobs.items()}) == len(CONTEXTS)
