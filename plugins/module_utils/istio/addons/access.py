# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse to expose addons without TLS or without authentication, unless the user allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...kube.errors import Refused
from ...kube.objects.objects import Object
from .catalogue import ALL
from .exposure import Exposed, Gate
from .parts import config_of, container
from .settings import Manifests, Options

_LOGINS = {
    "kiali": "for kiali set kiali.auth",
    "grafana": "for grafana set grafana.anonymous_role=none and grafana.admin_secret",
}
"""The option that turns authentication on, for addons that support it."""


def refuse_open(
    shown: Mapping[str, Exposed],
    found: Manifests,
    gate: Gate,
    options: Options,
    *,
    allow_http: bool,
    allow_anonymous: Sequence[str],
) -> None:
    """Raise Refused if addons would be exposed without TLS or without authentication, and neither is allowed.

    found: the manifests with the user's settings applied.
    """
    if not shown:
        return
    hosts = ", ".join(sorted({one.host for one in shown.values()}))
    opened = [name for name in shown if not _has_login(name, found[name], options)]
    wrong = [] if ALL in allow_anonymous else [name for name in opened if name not in allow_anonymous]
    problems = []
    if not gate.secret and not allow_http:
        problems.append(
            "TLS is not configured. Set gateway.secret to a Secret with a certificate, or set allow_http to true"
        )
    if wrong:
        logins = [_LOGINS[name] for name in wrong if name in _LOGINS]
        problems.append(
            f"{' and '.join(wrong)} would be open to anonymous access, without a login."
            f" {_sentence([*logins, 'remove them from expose'])}, or add them to allow_anonymous"
        )
    if problems:
        raise Refused(
            f"Cannot expose {', '.join(shown)} at {hosts}: {'. Also, '.join(problems)}.",
            code="open_dashboards",
            addons=list(shown),
            hosts=hosts,
            without_login=wrong,
            tls=bool(gate.secret),
        )


def _sentence(remedies: list[str]) -> str:
    text = ", ".join(remedies)
    return text[0].upper() + text[1:]


def _has_login(addon: str, objects: list[Object], options: Options) -> bool:
    if addon == "kiali":
        strategy = (config_of(addon, objects, "config.yaml").get("auth") or {}).get("strategy")
        return strategy not in (None, "", "anonymous")
    if addon == "grafana":
        variables = {one["name"]: one.get("value") for one in container(addon, objects).get("env") or ()}
        # The password in the release's sample is public.
        own = bool((options.get("grafana") or {}).get("admin_secret"))
        return own and str(variables.get("GF_AUTH_ANONYMOUS_ENABLED")).lower() != "true"
    return False
