# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may see the addons that a gateway shows: nobody without a login, and nothing without TLS, unless users say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...kube.errors import Refused
from .catalogue import ALL
from .exposure import Exposed, Gate
from .parts import Object, config_of, container
from .settings import Manifests, Options

_LOGINS = {
    "kiali": "for kiali set kiali.auth",
    "grafana": "for grafana set grafana.anonymous_role=none and grafana.admin_secret",
}
"""How those addons get a login that have one."""


def refuse_open(
    shown: Mapping[str, Exposed],
    found: Manifests,
    gate: Gate,
    options: Options,
    *,
    allow_http: bool,
    allow_anonymous: Sequence[str],
) -> None:
    """Raise Refused where addons would be seen without TLS or without a login, and nobody has allowed that.

    found: the manifests with the user's settings in them.
    """
    if not shown:
        return
    hosts = ", ".join(sorted({one.host for one in shown.values()}))
    opened = [name for name in shown if not _asks_for_login(name, found[name], options)]
    wrong = [] if ALL in allow_anonymous else [name for name in opened if name not in allow_anonymous]
    problems = []
    if not gate.secret and not allow_http:
        problems.append("over http: give gateway.secret, a Secret with a certificate, or set allow_http")
    if wrong:
        logins = [_LOGINS[name] for name in wrong if name in _LOGINS]
        problems.append(
            f"to anybody, as {' and '.join(wrong)} would not ask for a login:"
            f" {', '.join([*logins, 'take them out of expose'])}, or name them in allow_anonymous"
        )
    if problems:
        raise Refused(
            f"{', '.join(shown)} would be shown at {hosts} {'; and '.join(problems)}.",
            code="open_dashboards",
            addons=list(shown),
            hosts=hosts,
            without_login=wrong,
            tls=bool(gate.secret),
        )


def _asks_for_login(addon: str, objects: list[Object], options: Options) -> bool:
    if addon == "kiali":
        strategy = (config_of(addon, objects, "config.yaml").get("auth") or {}).get("strategy")
        return strategy not in (None, "", "anonymous")
    if addon == "grafana":
        variables = {one["name"]: one.get("value") for one in container(addon, objects).get("env") or ()}
        # A release's own password is known to everybody.
        own = bool((options.get("grafana") or {}).get("admin_secret"))
        return own and str(variables.get("GF_AUTH_ANONYMOUS_ENABLED")).lower() != "true"
    return False
