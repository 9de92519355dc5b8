# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that several modules share, one for each documentation fragment of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

ArgumentSpec = dict[str, dict[str, Any]]


def _from_environment(*names: str) -> tuple[Any, list[str]]:
    return (env_fallback, [f"K8S_AUTH_{name}" for name in names])


PROXY_HEADERS: ArgumentSpec = {
    "proxy_basic_auth": {
        "type": "str",
        "no_log": True,
        "fallback": _from_environment("PROXY_HEADERS_PROXY_BASIC_AUTH"),
    },
    "basic_auth": {"type": "str", "no_log": True, "fallback": _from_environment("PROXY_HEADERS_BASIC_AUTH")},
    "user_agent": {"type": "str", "fallback": _from_environment("PROXY_HEADERS_USER_AGENT")},
}

AUTH: ArgumentSpec = {
    # no_log would mask every string of the kubeconfig in the output, including the word "default".
    # MeshModule hides the content and registers only its secrets.
    "kubeconfig": {"type": "raw", "fallback": _from_environment("KUBECONFIG")},
    "context": {"type": "str", "fallback": _from_environment("CONTEXT")},
    "host": {"type": "str", "fallback": _from_environment("HOST")},
    "api_key": {"type": "str", "no_log": True, "fallback": _from_environment("API_KEY")},
    "username": {"type": "str", "fallback": _from_environment("USERNAME")},
    "password": {"type": "str", "no_log": True, "fallback": _from_environment("PASSWORD")},
    "client_cert": {
        "type": "path",
        "aliases": ["cert_file"],
        "fallback": _from_environment("CLIENT_CERT", "CERT_FILE"),
    },
    "client_key": {"type": "path", "aliases": ["key_file"], "fallback": _from_environment("CLIENT_KEY", "KEY_FILE")},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], "fallback": _from_environment("CA_CERT", "SSL_CA_CERT")},
    "validate_certs": {
        "type": "bool",
        "aliases": ["verify_ssl"],
        "fallback": _from_environment("VALIDATE_CERTS", "VERIFY_SSL"),
    },
    "proxy": {"type": "str", "fallback": _from_environment("PROXY")},
    "no_proxy": {"type": "str", "fallback": _from_environment("NO_PROXY")},
    "proxy_headers": {"type": "dict", "options": PROXY_HEADERS, "apply_defaults": True},
    "persist_config": {"type": "bool", "fallback": _from_environment("PERSIST_CONFIG")},
    "impersonate_user": {"type": "str", "fallback": _from_environment("IMPERSONATE_USER")},
    "impersonate_groups": {"type": "list", "elements": "str", "fallback": _from_environment("IMPERSONATE_GROUPS")},
}

IDENTITY: ArgumentSpec = {
    "uid": {"type": "str"},
    "server": {"type": "str"},
    "certificate_authority": {"type": "str"},
    "context": {"type": "str"},
}

CONNECTION: ArgumentSpec = {**AUTH, "expected_cluster": {"type": "dict", "options": IDENTITY}}
"""Connection options of kubernetes.core, and the expected cluster."""

DOWNLOAD: ArgumentSpec = {
    "download_timeout": {"type": "int", "default": 600},
    "download_proxy": {"type": "str"},
    "download_ca_cert": {"type": "path"},
    "download_client_cert": {"type": "path"},
    "download_client_key": {"type": "path"},
}

RELEASE: ArgumentSpec = {
    "source": {"type": "list", "elements": "str", "fallback": (env_fallback, ["MESHOPS_RELEASE_SOURCE"])},
    "cache_dir": {"type": "path"},
    "checksum": {"type": "str"},
    "download_headers": {"type": "dict", "default": {}, "no_log": True},
    **DOWNLOAD,
}

MIRROR: ArgumentSpec = {
    "mirrors": {"type": "dict", "default": {}},
    "pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
}

SUPPORT: ArgumentSpec = {
    "security": {"type": "str", "choices": ["warn", "strict", "ignore"], "default": "warn"},
    "end_of_life_days": {"type": "int", "default": 30},
    "release_data": {"type": "list", "elements": "raw", "default": []},
}

WAIT: ArgumentSpec = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "wait_back_off": {"type": "int"},
}

GATE: ArgumentSpec = {
    "prometheus": {
        "type": "dict",
        "options": {
            "url": {"type": "str"},
            "service": {"type": "str"},
            "query": {"type": "str", "required": True},
            "min": {"type": "float"},
            "max": {"type": "float"},
        },
    },
    "answers": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "host": {"type": "str"},
            "count": {"type": "int", "default": 50},
            "min_success": {"type": "float", "default": 99},
        },
    },
}

RECREATE: ArgumentSpec = {"recreate": {"type": "bool", "default": False}}

PLAN: ArgumentSpec = {
    "ignore_fields": {"type": "list", "elements": "str", "default": []},
    "plan_digest": {"type": "str"},
    "force": {"type": "bool", "default": False},
}


def misplaced_scalars(parameters: Any, argument_spec: ArgumentSpec, path: str = "") -> Iterator[str]:
    """Yield the paths of numbers, booleans and nulls in place of suboptions, which ansible-core does not check."""
    for name, option in argument_spec.items():
        given = parameters.get(name) if isinstance(parameters, Mapping) else None
        if not option.get("options"):
            continue
        if isinstance(given, (bool, int, float)):
            yield f"{path}{name}"
        items = given if isinstance(given, list) else [given]
        yield from (f"{path}{name}[{index}]" for index, item in enumerate(items) if item is None and items is given)
        for inner in items:
            yield from misplaced_scalars(inner, option["options"], f"{path}{name}.")
