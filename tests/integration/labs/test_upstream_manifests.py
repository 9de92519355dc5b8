# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labs' manifests as their authors published them: they work, or are refused with a sentence that helps.

Where there is no copy of them (see `seed.UPSTREAM`) these tests are left out. Manifests with the same flaws, made up, are
in tests/unit/applications.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.integration.labs.conftest import Sow
from ansible_collections.meshops.istio.tests.integration.labs.seed import NO_COPY, UPSTREAM, Seed, who
from ansible_collections.meshops.istio.tests.integration.traffic.traffic import eventually
from ansible_collections.meshops.istio.tests.support.lab import CHECKOUT, now
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.support.modules import Run
from ansible_collections.meshops.istio.tests.support.steps import Seen

NAMESPACE = "default"
"""That of the microservices' ConfigMaps, which say so themselves."""

REPEATED = "line 36 & key 'version' & duplicate"
OLD_DEPLOYMENT = "kind Deployment of extensions/v1beta1 & not found & apps/v1"
OLD_INGRESS = "kind Ingress of extensions/v1beta1 & not found & networking.k8s.io/v1"
NO_OBJECT = "document 1 & apiVersion & not found"
OLD_POLICY = "Policy & removed & authentication.istio.io/v1alpha1 & PeerAuthentication"

REFUSED = {
    "aks_challenge/base-sample-app.yaml": OLD_DEPLOYMENT,
    "aks_challenge/c2-jscalcbackend-egress.yaml": OLD_DEPLOYMENT,
    "aks_challenge/c2-jscalcbackend-new.yaml": OLD_DEPLOYMENT,
    "aks_challenge/policy.yaml": OLD_POLICY,
    "guestbook/canary-helloworld.yaml": NO_OBJECT,
    "guestbook/delay-guestbook-service.yaml": NO_OBJECT,
    "guestbook/force-hello-v1.yaml": NO_OBJECT,
    "guestbook/guestbook-deployment.yaml": OLD_DEPLOYMENT,
    "guestbook/guestbook-ingress.yaml": OLD_INGRESS,
    "guestbook/guestbook-ui-deployment.yaml": OLD_DEPLOYMENT,
    "guestbook/helloworld-deployment-v2.yaml": REPEATED,
    "guestbook/helloworld-deployment.yaml": REPEATED,
    "guestbook/mysql-deployment.yaml": OLD_DEPLOYMENT,
    "guestbook/rate-limit-ui-service.yaml": NO_OBJECT,
    "guestbook/redis-deployment.yaml": OLD_DEPLOYMENT,
}
VALUES = "-values.yaml"
"""How files end that are values of Helm charts."""

MICROSERVICES = ("customer-ms.yaml", "notification-ms.yaml", "order-ms.yaml", "microservices-istio.yaml")
INFRASTRUCTURE = CHECKOUT / "roles" / "applications" / "files" / "microservices" / "infrastructure"


@pytest.fixture(scope="module")
def upstream() -> Path:
    if UPSTREAM is None or not UPSTREAM.is_dir():
        pytest.skip(NO_COPY.format("guestbook, microservices_lab, aks_challenge and online_boutique"))
    return UPSTREAM


def application(name: str, *paths: Path) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "src": [str(path) for path in paths]}


@pytest.fixture(scope="module")
def site(sown: Sow, upstream: Path) -> Iterator[Seed]:
    infrastructure = application("infrastructure", INFRASTRUCTURE)
    microservices = application("upstream", *(upstream / "microservices_lab" / name for name in MICROSERVICES))
    given = {
        "mesh_ingress_type": "NodePort",
        "mesh_inject_namespaces": [NAMESPACE],
        "mesh_restart": False,
        "mesh_applications": [infrastructure, microservices],
    }
    with sown("site", NAMESPACE, **given) as seed:
        seed.play(mesh_inject_namespaces=[], mesh_applications=[infrastructure])
        yield seed


@pytest.mark.step("upstream", "what cannot work is refused in one sentence, before the first write")
def test_refused(site: Seed, upstream: Path, run_module: Run, seen: Seen) -> None:
    since = now()
    values = [str(path.relative_to(upstream)) for path in upstream.rglob(f"*{VALUES}")]
    expected = {**REFUSED, **dict.fromkeys(values, NO_OBJECT)}
    for file, sentence in expected.items():
        given = {
            "kubeconfig": site.lab.kubeconfig,
            **application("upstream", upstream / file),
            "create_namespaces": True,
        }
        result = run_module("application", **given)
        assert result.get("failed"), file
        assert has_facts(result["msg"], sentence), result["msg"]
    assert site.lab.writes_since(since) == 0
    seen(f"{len(expected)} of {len(list(upstream.rglob('*.yaml')))} files, 0 writes")


@pytest.mark.step("upstream", "the microservices' own manifests, in the mesh, beside our infrastructure")
def test_the_microservices(site: Seed, seen: Seen) -> None:
    site.play()
    path = "/customers-service/v2/customers"
    answer = eventually(lambda: site.gateway.ask(path), lambda one: one.status == 200, limit=90)
    ready = {name: site.pod(f"app={name}").ready for name in ("customer", "notification", "order")}
    again = site.play().changed
    assert (ready, answer.text, again) == (dict.fromkeys(ready, "2/2"), "[]", 0)
    seen(f"{', '.join(f'{name} {count}' for name, count in ready.items())}; {answer.status} {answer.text}", who(answer))
