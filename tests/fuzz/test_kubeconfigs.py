# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs with ordinary mistakes, as files, as text and as data."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from ansible_collections.meshops.istio.plugins.module_utils.kube.api import kubeconfig
from ansible_collections.meshops.istio.plugins.module_utils.kube.api.cluster import Cluster
from ansible_collections.meshops.istio.plugins.module_utils.kube.yaml.writer import write_yaml
from ansible_collections.meshops.istio.plugins.module_utils.secret_options import redacted_options, secrets_of
from ansible_collections.meshops.istio.tests.fuzz.driver import fuzz, sentence
from ansible_collections.meshops.istio.tests.fuzz.odd import mistaken, values
from hypothesis import strategies as st

KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "dev",
    "clusters": [
        {"name": "one", "cluster": {"server": "https://10.0.0.1:6443", "insecure-skip-tls-verify": True}},
        {
            "name": "two",
            "cluster": {"server": "https://10.0.0.2", "certificate-authority-data": "QQ==", "tls-server-name": "a"},
        },
    ],
    "users": [
        {"name": "me", "user": {"token": "s3cret"}},
        {"name": "cert", "user": {"client-certificate-data": "QQ==", "client-key-data": "QQ=="}},
        {"name": "basic", "user": {"username": "me", "password": "s3cret"}},
        {
            "name": "oidc",
            "user": {"auth-provider": {"name": "oidc", "config": {"id-token": "a.b.c", "client-secret": "x"}}},
        },
        {
            "name": "exec",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "./no-such",
                    "args": ["a"],
                    "env": [{"name": "A", "value": "b"}],
                }
            },
        },
    ],
    "contexts": [
        {"name": "dev", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
        *({"name": name, "context": {"cluster": "two", "user": name}} for name in ("cert", "basic", "oidc", "exec")),
    ],
}
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "context": st.sampled_from(["dev", "cert", "basic", "oidc", "exec", "no"]),
        "validate_certs": st.booleans(),
        "impersonate_user": st.just("you"),
    },
)


def test_kubeconfigs_of_any_form(tmp_path: Path) -> None:
    file = tmp_path / "config"

    def check(given: tuple[Any, str, dict[str, Any]]) -> None:
        content, form, options = given
        source: Any = copy.deepcopy(content)
        if form != "data":
            source = write_yaml([content])
            if form == "file":
                file.write_text(source, encoding="utf-8")
                source = str(file)
        sentence(lambda: secrets_of({"kubeconfig": source, "src": values, "host": content}))
        sentence(lambda: redacted_options({"kubeconfig": source, "definition": [content], "overlays": [content]}))
        sentence(lambda: kubeconfig.load({"kubeconfig": source, **options}))
        sentence(lambda: Cluster.connect({"kubeconfig": source, **options}, user_agent="fuzz"))
        if form == "file":
            sentence(lambda: kubeconfig.contexts(source))

    forms = st.sampled_from(["file", "file", "text", "data"])
    fuzz("kubeconfigs", st.tuples(mistaken(KUBECONFIG, 4), forms, _OPTIONS), check, share=0.07)
