# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the fields of a kubeconfig that this collection or the kubernetes client reads."""

from __future__ import annotations

from typing import Any

from ..objects.shapes import BOOLEAN, MAP, TEXT, List, Map, Scalar, problems, refuse

_TEXT_OR_NUMBER = Scalar("text", (str, int, float, bool))
_CLUSTER = Map(
    {
        **dict.fromkeys(
            ("server", "certificate-authority", "certificate-authority-data", "tls-server-name", "proxy-url"), TEXT
        ),
        "insecure-skip-tls-verify": BOOLEAN,
    }
)
_PLUGIN = Map(
    {
        **dict.fromkeys(("apiVersion", "command", "interactiveMode", "installHint"), TEXT),
        "args": List(_TEXT_OR_NUMBER),
        "env": List(Map({"name": TEXT, "value": _TEXT_OR_NUMBER})),
    }
)
_USER = Map(
    {
        **dict.fromkeys(
            ("client-certificate", "client-certificate-data", "client-key", "client-key-data", "tokenFile"), TEXT
        ),
        **dict.fromkeys(("token", "username", "password"), _TEXT_OR_NUMBER),
        "auth-provider": Map({"name": TEXT, "config": MAP}),
        "exec": _PLUGIN,
    }
)
_CONTEXT = Map({"cluster": TEXT, "user": TEXT, "namespace": TEXT})
_KUBECONFIG = Map(
    {
        "clusters": List(Map({"name": TEXT, "cluster": _CLUSTER})),
        "contexts": List(Map({"name": TEXT, "context": _CONTEXT})),
        "users": List(Map({"name": TEXT, "user": _USER})),
        "current-context": TEXT,
    }
)


def refuse_misshapen_kubeconfig(document: Any, where: str) -> None:
    """Raise InvalidInput for a kubeconfig with fields of the wrong type, naming the fields, without values."""
    refuse(problems(document, _KUBECONFIG), where)
