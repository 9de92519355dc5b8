# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options are those of kubernetes.core, by every name that a user may know them by."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.meshops.istio.plugins.doc_fragments.auth import ModuleDocFragment
from ansible_collections.meshops.istio.plugins.module_utils.arguments import AUTH

# Option: aliases and environment variables, as in kubernetes.core 6.
KUBERNETES_CORE: dict[str, tuple[list[str], list[str]]] = {
    "api_key": ([], ["K8S_AUTH_API_KEY"]),
    "ca_cert": (["ssl_ca_cert"], ["K8S_AUTH_SSL_CA_CERT"]),
    "client_cert": (["cert_file"], ["K8S_AUTH_CERT_FILE"]),
    "client_key": (["key_file"], ["K8S_AUTH_KEY_FILE"]),
    "context": ([], ["K8S_AUTH_CONTEXT"]),
    "host": ([], ["K8S_AUTH_HOST"]),
    "impersonate_groups": ([], ["K8S_AUTH_IMPERSONATE_GROUPS"]),
    "impersonate_user": ([], ["K8S_AUTH_IMPERSONATE_USER"]),
    "kubeconfig": ([], ["K8S_AUTH_KUBECONFIG"]),
    "no_proxy": ([], ["K8S_AUTH_NO_PROXY"]),
    "password": ([], ["K8S_AUTH_PASSWORD"]),
    "persist_config": ([], ["K8S_AUTH_PERSIST_CONFIG"]),
    "proxy": ([], ["K8S_AUTH_PROXY"]),
    "proxy_headers": ([], []),
    "proxy_headers.basic_auth": ([], ["K8S_AUTH_PROXY_HEADERS_BASIC_AUTH"]),
    "proxy_headers.proxy_basic_auth": ([], ["K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH"]),
    "proxy_headers.user_agent": ([], ["K8S_AUTH_PROXY_HEADERS_USER_AGENT"]),
    "username": ([], ["K8S_AUTH_USERNAME"]),
    "validate_certs": (["verify_ssl"], ["K8S_AUTH_VERIFY_SSL"]),
}
FRAGMENT = "ansible_collections/kubernetes/core/plugins/doc_fragments/k8s_auth_options.py"


def names_in(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """Options, aliases and environment variables in the text of a documentation fragment."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    options = yaml.safe_load(text)["options"]
    parts = {f"proxy_headers.{name}": one for name, one in options["proxy_headers"]["suboptions"].items()}
    for name, option in {**options, **parts}.items():
        description = option["description"]
        variables = re.findall(r"K8S_AUTH_\w+", description if isinstance(description, str) else " ".join(description))
        found[name] = (list(option.get("aliases", ())), list(dict.fromkeys(variables)))
    return found


def variables_of(option: dict[str, Any]) -> list[str]:
    fallback = option.get("fallback")
    return list(fallback[1]) if fallback else []


def test_every_option_has_kubernetes_cores_aliases_and_variables() -> None:
    given = {**AUTH, **{f"proxy_headers.{name}": one for name, one in AUTH["proxy_headers"]["options"].items()}}
    assert sorted(given) == sorted(KUBERNETES_CORE)
    for name, (aliases, variables) in KUBERNETES_CORE.items():
        assert given[name].get("aliases", []) == aliases
        assert set(variables) <= set(variables_of(given[name])), name


def test_the_documentation_names_every_variable() -> None:
    documented = names_in(ModuleDocFragment.DOCUMENTATION)
    # The collection's own.
    del documented["expected_cluster"]
    given = {**AUTH, **{f"proxy_headers.{name}": one for name, one in AUTH["proxy_headers"]["options"].items()}}
    assert {name: sorted(one[1]) for name, one in documented.items()} == {
        name: sorted(variables_of(option)) for name, option in given.items()
    }


@pytest.mark.skipif("MESHOPS_PEERS" not in os.environ, reason="MESHOPS_PEERS names no folder with the package ansible")
def test_the_table_is_kubernetes_cores_own() -> None:
    path = Path(os.environ["MESHOPS_PEERS"]) / FRAGMENT
    specification = importlib.util.spec_from_file_location("k8s_auth_options", path)
    assert specification is not None
    assert specification.loader is not None
    fragment = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(fragment)
    assert names_in(fragment.ModuleDocFragment.DOCUMENTATION) == KUBERNETES_CORE
