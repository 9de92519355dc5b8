# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure's login, as far as a service principal with a secret needs it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.meshops.istio.tests.aks.cloud import TENANT
from ansible_collections.meshops.istio.tests.aks.refusals import Refusal

HOST = "login.microsoftonline.com"
CLIENT = "00000000-0000-4000-8000-000000000003"
SECRET = "the-secret"
EXPIRED_SECRET = "the-secret-of-last-year"
ENVIRONMENT = {"AZURE_CLIENT_ID": CLIENT, "AZURE_SECRET": SECRET, "AZURE_TENANT": TENANT}

_TOKEN = "a-token-of-the-stand-in"
_AUDIENCES = ("https://management.azure.com//.default", "https://management.azure.com/.default")
_WRONG = {
    EXPIRED_SECRET: "AADSTS7000222: The provided client secret keys for app are expired.",
    "": "AADSTS7000216: 'client_assertion', 'client_secret' or 'request' is required.",
}


def check(authorization: str | None) -> None:
    """Raise Refusal for a request of the Resource Manager without a token of this login."""
    if authorization != f"Bearer {_TOKEN}":
        raise Refusal(401, "InvalidAuthenticationToken", "The access token is invalid.")


def answer(method: str, url: str, content: str) -> tuple[int, Any, dict[str, str]]:
    """What the login answers: status, body, headers."""
    path = urlsplit(url).path
    tenant, _slash, rest = path.removeprefix("/").partition("/")
    if (method, rest) == ("GET", "v2.0/.well-known/openid-configuration") and tenant == TENANT:
        place = f"https://{HOST}/{tenant}"
        return (
            200,
            {
                "issuer": f"{place}/v2.0",
                "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
                "token_endpoint": f"{place}/oauth2/v2.0/token",
            },
            {},
        )
    if (method, path) == ("GET", "/common/discovery/instance"):
        metadata = {"preferred_network": HOST, "preferred_cache": HOST, "aliases": [HOST]}
        place = f"https://{HOST}/{TENANT}/v2.0/.well-known/openid-configuration"
        return 200, {"tenant_discovery_endpoint": place, "metadata": [metadata]}, {}
    if (method, rest) == ("POST", "oauth2/v2.0/token"):
        return _token(tenant, {key: values[0] for key, values in parse_qs(content).items()})
    return 400, _error("invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found."), {}


def _token(tenant: str, form: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
    if tenant != TENANT:
        return 400, _error("invalid_request", f"AADSTS90002: Tenant '{tenant}' not found."), {}
    if form.get("client_id") != CLIENT or form.get("grant_type") != "client_credentials":
        return 400, _error("unauthorized_client", "AADSTS700016: Application was not found in the directory."), {}
    if form.get("client_secret") != SECRET:
        wrong = "AADSTS7000215: Invalid client secret provided."
        return 401, _error("invalid_client", _WRONG.get(form.get("client_secret", ""), wrong)), {}
    if not set(form.get("scope", "").split()) & set(_AUDIENCES):
        return 400, _error("invalid_scope", f"AADSTS70011: The scope {form.get('scope')} is not valid."), {}
    return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": _TOKEN}, {}


def _error(code: str, description: str) -> dict[str, str]:
    return {"error": code, "error_description": description}
