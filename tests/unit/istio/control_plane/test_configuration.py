# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several overlays, options and flags come to together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meshops.istio.plugins.module_utils.istio.control_plane.configuration import (
    Configuration,
    Options,
)
from ansible_collections.meshops.istio.plugins.module_utils.kube.errors import InvalidInput
from ansible_collections.meshops.istio.tests.support.messages import facts_pattern
from ansible_collections.meshops.istio.tests.unit.istio.conftest import MadeRelease

Operator = Callable[..., dict[str, Any]]


def configured(made: MadeRelease, **parameters: Any) -> Configuration:
    return Configuration(Options.of(parameters), made.release)


def test_nothing_given_is_the_default_profile(made: MadeRelease) -> None:
    configuration = configured(made, profile="default", revision="default", namespace="istio-system")
    assert configuration.overlays == []
    assert (configuration.revision, configuration.namespace, configuration.profile) == ("", "istio-system", "default")
    assert configuration.makes_default_tag
    assert not configuration.injects_by_default


def test_later_overlays_win_then_options_then_values_then_flags(made: MadeRelease, operator: Operator) -> None:
    configuration = configured(
        made,
        overlays=[
            operator({"hub": "one", "tag": "one", "revision": "one", "profile": "demo"}),
            operator({"hub": "two"}),
        ],
        tag="three",
        values={"global": {"network": "four"}},
        set=["values.global.network=five", "revision=six"],
    )
    spec = configuration.merged["spec"]
    assert (spec["hub"], spec["tag"]) == ("two", "three")
    assert spec["values"]["global"]["hub"] == "two"
    assert (configuration.network, configuration.revision, configuration.profile) == ("five", "six", "demo")
    assert [overlay.source for overlay in configuration.overlays] == ["overlay 1", "overlay 2", "the options"]


def test_the_namespace_is_the_values_one(made: MadeRelease, operator: Operator) -> None:
    by_metadata = configured(made, overlays=[operator({}, namespace="elsewhere", name="prod")])
    assert (by_metadata.namespace, by_metadata.owner) == ("istio-system", "prod")
    assert configured(made, namespace="mesh").namespace == "mesh"


def test_flags_from_a_map(made: MadeRelease) -> None:
    flags = {"values.pilot.autoscaleEnabled": False, "meshConfig.accessLogFile": "/dev/stdout"}
    configuration = configured(made, set=flags)
    assert configuration.sets == ["values.pilot.autoscaleEnabled=false", "meshConfig.accessLogFile=/dev/stdout"]
    with pytest.raises(InvalidInput, match="value of set"):
        configured(made, set={"values.pilot": {"a": 1}})


def test_an_unknown_profile_lists_those_there_are(made: MadeRelease) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("profile 'prod' & not found & Istio 1.29.1 & default, demo")):
        configured(made, profile="prod")
    with pytest.raises(InvalidInput, match=facts_pattern("profile & not found")):
        configured(made, set=["profile=../default"])


@pytest.mark.parametrize("revision", ["Canary", "1.29", "-x", "a" * 80])
def test_a_revision_is_a_label(made: MadeRelease, revision: str) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern(f"revision '{revision}' & invalid")):
        configured(made, revision=revision)


def test_an_ingress_entry_with_labels_adds_a_gateway(made: MadeRelease, operator: Operator) -> None:
    listed = [{"name": "istio-ingressgateway", "enabled": True}, {"name": "public", "enabled": True}]
    overlays = [operator({"components": {"ingressGateways": listed}})]
    ingress = [{"type": "NodePort"}, {"name": "partners", "labels": {"istio": "partners", "tier": 2}}]
    configuration = configured(made, overlays=overlays, ingress=ingress)
    added = {"name": "partners", "enabled": True, "label": {"istio": "partners", "tier": "2"}}
    assert configuration.merged["spec"]["components"]["ingressGateways"] == [*listed, added]
    assert configured(made, ingress=[{"name": "partners"}]).overlays == []


def test_labels_of_a_gateway_that_is_there_already(made: MadeRelease) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("istio-ingressgateway & already exists & labels")):
        configured(made, ingress=[{"labels": {"istio": "other"}}])


ZIPKIN: dict[str, Any] = {"name": "zipkin", "zipkin": {"service": "zipkin", "port": 9411}}


@pytest.mark.parametrize("spec", ["meshConfig", "values"])
def test_providers_are_added_to_those_of_the_overlays(made: MadeRelease, operator: Operator, spec: str) -> None:
    given = {"extensionProviders": [{"name": "otel"}, {"name": "zipkin", "zipkin": {"service": "theirs"}}]}
    overlay = operator({"meshConfig": given} if spec == "meshConfig" else {"values": {"meshConfig": given}})
    added = [ZIPKIN, {"name": "jaeger"}]
    mesh = configured(made, overlays=[overlay], extension_providers=added).merged["spec"]["meshConfig"]
    assert mesh["extensionProviders"] == [*given["extensionProviders"], {"name": "jaeger"}]


def test_a_provider_without_a_name(made: MadeRelease) -> None:
    with pytest.raises(InvalidInput, match=facts_pattern("extension_providers & name is missing")):
        configured(made, extension_providers=[{"zipkin": {}}])
