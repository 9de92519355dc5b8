# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""addons: nothing is shown at a gateway without TLS or without a login, unless somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meshops.istio.tests.support.mesh_api import Mesh, secret
from ansible_collections.meshops.istio.tests.support.messages import has_facts
from ansible_collections.meshops.istio.tests.unit.istio.addons.conftest import Addons
from ansible_collections.meshops.istio.tests.unit.istio.addons.test_exposure import addressed

HOST = "dashboards.example.com"
SHOWN: dict[str, Any] = {"expose": [{"host": HOST}], "allow_http": False, "allow_anonymous": []}
TLS = {"gateway": {"secret": "mesh"}}
LOGINS = {"kiali": {"auth": "token"}, "grafana": {"anonymous_role": "none", "admin_secret": "admin"}}


@pytest.mark.parametrize("check", [True, False])
def test_a_host_alone_shows_nothing(refused: Addons, mesh: Mesh, check: bool) -> None:
    before = len(mesh.writes)
    result = refused("kiali", "grafana", "prometheus", **SHOWN, check=check)
    assert (result["code"], result["details"]["tls"]) == ("open_dashboards", False)
    assert result["details"]["without_login"] == ["kiali", "grafana", "prometheus"]
    words = (HOST, "gateway.secret", "allow_http", "kiali.auth", "grafana.admin_secret", "allow_anonymous")
    assert [word for word in words if word not in result["msg"]] == []
    assert "mesh_addons_allow_http" in result["msg"]
    assert len(mesh.writes) == before


@pytest.mark.parametrize(
    ("options", "without_login"),
    [
        ({}, ["kiali", "grafana", "prometheus"]),
        (LOGINS, ["prometheus"]),
        ({**LOGINS, "grafana": {"anonymous_role": "Viewer", "admin_secret": "admin"}}, ["grafana", "prometheus"]),
        ({**LOGINS, "kiali": {"auth": "anonymous"}}, ["kiali", "prometheus"]),
        (
            {**LOGINS, "kiali": {"auth": "token", "config": {"auth": {"strategy": "anonymous"}}}},
            ["kiali", "prometheus"],
        ),
        ({**LOGINS, "allow_anonymous": ["kiali"]}, ["prometheus"]),
    ],
)
def test_a_certificate_is_no_login(refused: Addons, options: dict[str, Any], without_login: list[str]) -> None:
    result = refused("kiali", "grafana", "prometheus", **{**SHOWN, **TLS, **options})
    assert (result["code"], result["details"]["without_login"]) == ("open_dashboards", without_login)


def test_a_login_is_no_tls(refused: Addons) -> None:
    result = refused("kiali", "grafana", **SHOWN, **LOGINS)
    assert (result["code"], result["details"]["without_login"]) == ("open_dashboards", [])
    assert has_facts(result["msg"], "cannot expose & TLS is not configured & gateway.secret & allow_http")


@pytest.mark.parametrize(
    "options",
    [
        {**LOGINS, **TLS, "allow_anonymous": ["prometheus"]},
        {**LOGINS, "allow_http": True, "allow_anonymous": ["prometheus"]},
        {"allow_http": True, "allow_anonymous": ["all"]},
        {**LOGINS, **TLS, "expose": [{"host": HOST, "addons": ["kiali", "grafana"]}]},
        {"expose": []},
    ],
)
def test_what_is_safe_or_allowed_is_shown(run: Addons, mesh: Mesh, options: dict[str, Any]) -> None:
    mesh.add(secret("mesh", "tls.crt", "tls.key"))
    assert run("kiali", "grafana", "prometheus", **{**SHOWN, **options})["changed"]


def test_a_wildcard_host_has_no_link(run: Addons, mesh: Mesh) -> None:
    addressed(mesh)
    assert run("zipkin", expose=[{"host": "*.example.com"}])["dashboards"]["zipkin"]["url"] == ""
    assert run("zipkin", expose=[{"host": "*"}])["dashboards"]["zipkin"]["url"] != ""
