# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the fields of an IstioOperator that the collection reads; istioctl checks the others."""

from __future__ import annotations

from typing import Any

from ...kube.objects.shapes import ANY, BOOLEAN, MAP, TEXT, TEXTS, List, Map, Scalar, problems, refuse

_TEXT_OR_NUMBER = Scalar("text", (str, int, float))
MESH_CONFIG = Map({"extensionProviders": List(Map({"name": TEXT}, required=("name",)))})
_GATEWAYS = List(
    Map({"name": TEXT, "namespace": TEXT, "enabled": BOOLEAN, "label": Map(each=_TEXT_OR_NUMBER), "k8s": MAP})
)
_GLOBAL = Map(
    {"istioNamespace": TEXT, "network": TEXT, "hub": TEXT, "tag": _TEXT_OR_NUMBER, "imagePullSecrets": List(TEXT)}
)
_VALUES = Map({"global": _GLOBAL, "meshConfig": MESH_CONFIG, "profile": TEXT, "pilot": MAP, "gateways": MAP})
_SPEC = Map(
    {
        **dict.fromkeys(("profile", "hub", "namespace", "installPackagePath"), TEXT),
        **dict.fromkeys(("tag", "revision"), _TEXT_OR_NUMBER),
        "components": Map({"ingressGateways": _GATEWAYS, "egressGateways": _GATEWAYS}),
        "meshConfig": MESH_CONFIG,
        "unvalidatedValues": MAP,
        "values": _VALUES,
    }
)
_OPERATOR = Map({"metadata": Map({"name": TEXT, "namespace": TEXT, "labels": TEXTS}), "spec": _SPEC})
_OPTIONS = Map(
    {
        "overlays": List(ANY),
        "values": MAP,
        "ingress": List(Map({"name": TEXT, "labels": MAP, "annotations": MAP, "ports": List(MAP)})),
        "extension_providers": List(Map({"name": TEXT})),
        "mirrors": TEXTS,
        "pull_secrets": List(TEXT),
    }
)


def refuse_misshapen_operator(document: Any, where: str) -> None:
    """Raise InvalidInput for an IstioOperator with fields of the wrong type, naming all of them."""
    refuse(problems(document, _OPERATOR), where)


def refuse_misshapen_options(parameters: Any) -> None:
    """Raise InvalidInput for options of a control plane with the wrong type, naming all of them."""
    refuse(problems(parameters, _OPTIONS), "The options of the control plane")
