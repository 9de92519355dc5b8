# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install or remove addons."""

from __future__ import annotations

from ..arguments import MIRROR, PLAN, RECREATE, RELEASE, WAIT
from ..istio.addons.access import refuse_open
from ..istio.addons.catalogue import (
    ALL,
    chosen,
    manifests,
    refuse_unknown,
)
from ..istio.addons.exposure import (
    Gate,
    dashboards,
    exposed,
    set_paths,
    traffic,
)
from ..istio.addons.settings import apply_settings
from ..istio.addons.telemetry import telemetry
from ..istio.addons.unit import Addons, Assumed, installed
from ..kube.objects.images import replace_images, with_pull_secrets
from ..kube.objects.objects import key_of
from ..kube.plan.plan import Plan
from ..reconciliation import Reconciliation
from ..task import Definition, Result, Task

KIALI = {
    "auth": {"type": "str", "choices": ["anonymous", "token", "openid", "openshift", "header"]},
    "config": {"type": "dict"},
}
GRAFANA = {
    "anonymous_role": {"type": "str", "choices": ["Admin", "Editor", "Viewer", "none"]},
    "admin_secret": {"type": "str", "no_log": False},
}
EXPOSE = {
    "host": {"type": "str", "default": "*"},
    "addons": {"type": "list", "elements": "str"},
    "path": {"type": "str"},
}
GATEWAY = {
    "selector": {"type": "dict"},
    "port": {"type": "int"},
    "secret": {"type": "str", "no_log": False},
}
ASSUME = {
    "gateway_namespaces": {"type": "list", "elements": "str"},
    "providers": {"type": "list", "elements": "str"},
}


def present(task: Task) -> Reconciliation:
    """Install the addons, and wait until they are ready."""
    parameters, cluster, addons = task.params, task.cluster, Addons(task.params["namespace"])
    release, _fetched = task.release()
    names = chosen(release, parameters["addons"] or ())
    found = manifests(release, names, addons.namespace)
    for warning in apply_settings(found, parameters):
        task.warn(warning)
    gate, shown = Gate.of(parameters["gateway"]), exposed(parameters["expose"], names)
    refuse_open(
        shown,
        found,
        gate,
        parameters,
        allow_http=parameters["allow_http"],
        allow_anonymous=parameters["allow_anonymous"],
    )
    set_paths(shown, found)
    placed = {name: addons.placed(cluster, found[name], name) for name in names}
    objects = [obj for name in names for obj in placed[name]]
    providers = {option: parameters[option] or "" for option in ("tracing", "access_logs")}
    of_all = [
        *traffic(shown, found, addons.namespace, gate),
        *telemetry(**providers, sampling=parameters["tracing_sampling"], namespace=addons.namespace),
    ]
    replaced = replace_images(objects, parameters["images"], parameters["mirrors"])
    of_each = {name: [dict(key_of(obj)._asdict()) for obj in placed[name]] for name in names}
    return Reconciliation(
        addons.unit(
            [*with_pull_secrets(replaced, parameters["pull_secrets"]), *addons.placed(cluster, of_all)],
            prune=parameters["prune"],
            check_mode=task.check_mode,
        ),
        addons.lock,
        checks=lambda plan: addons.check(
            cluster,
            plan,
            providers=providers,
            minor=release.minor,
            check_mode=task.check_mode,
            assumed=Assumed.of(parameters["assume"]),
        ),
        finish=lambda _plan: {
            "addons": names,
            "objects": of_each,
            "dashboards": dashboards(cluster, shown, found, gate),
        },
    )


def absent(task: Task) -> Reconciliation:
    """Remove all addons, or the addons in the options."""
    named: list[str] = task.params["addons"] or []
    addons = Addons(task.params["namespace"])
    unit = addons.unit([], only=[] if ALL in named else named)

    def check(plan: Plan) -> None:
        refuse_unknown(named, installed(plan), addons.namespace)

    nothing: Result = {"addons": [], "objects": {}, "dashboards": {}}
    return Reconciliation(unit, addons.lock, checks=check, finish=lambda _plan: nothing)


def run(task: Task) -> Reconciliation:
    """Bring the unit into the state of the options."""
    return (present if task.params["state"] == "present" else absent)(task)


DEFINITION = Definition(
    {
        "addons": {"type": "list", "elements": "str"},
        "version": {"type": "str"},
        "namespace": {"type": "str", "default": "istio-system"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "prune": {"type": "bool", "default": True},
        "images": {"type": "dict", "default": {}},
        "resources": {"type": "dict", "default": {}},
        "storage": {"type": "dict", "default": {}},
        "retention": {"type": "dict", "default": {}},
        "prometheus_url": {"type": "str"},
        "kiali": {"type": "dict", "options": KIALI},
        "grafana": {"type": "dict", "options": GRAFANA},
        "expose": {"type": "list", "elements": "dict", "options": EXPOSE, "default": []},
        "gateway": {"type": "dict", "options": GATEWAY, "default": {}},
        "allow_http": {"type": "bool", "default": False},
        "allow_anonymous": {"type": "list", "elements": "str", "default": []},
        "tracing": {"type": "str"},
        "tracing_sampling": {"type": "float"},
        "access_logs": {"type": "str"},
        "assume": {"type": "dict", "options": ASSUME},
        **RELEASE,
        **MIRROR,
        **PLAN,
        **RECREATE,
        **WAIT,
    },
    run,
    required_if=[("state", "present", ["addons", "version"])],
)
