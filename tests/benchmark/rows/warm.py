# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mesh that is as it should be, or nearly."""

from __future__ import annotations

from ..playbooks import PING
from ..results import Result, compared, in_turn
from ..stage import MANAGER, Stage, now

_DEPLOYMENT = "istio-egressgateway"


def again(stage: Stage) -> list[Result]:
    """Nothing to change: the task's own time."""
    stage.install()
    manifest = str(stage.manifest)
    core = stage.kubernetes_core
    manifests = {"kubernetes.core.k8s": {"kubeconfig": stage.kubeconfig, "state": "present", "src": manifest}}

    def ours() -> float:
        stage.install()  # what istioctl has taken over is ours again
        return stage.install(changes=False).seconds

    def istioctl() -> float:
        stage.istioctl_install()
        return stage.istioctl_install()

    def kubernetes_core() -> float:
        return core.task(manifests).seconds

    mine, of_istioctl, of_core = in_turn(2 if stage.short else 7, ours, istioctl, kubernetes_core)
    stage.install()
    return [
        compared("again, nothing to change", mine, of_istioctl, peer="istioctl install", goal=0.6),
        compared("again, nothing to change: the task", mine, of_core, peer="kubernetes.core.k8s, the task", goal=0.25),
    ]


def playbook(stage: Stage) -> list[Result]:
    """Nothing to change: playbooks, against playbooks of as many pings and 0.7 s."""
    stage.install()
    variables = {
        **stage.variables,
        "mesh_version": stage.release.version,
        "mesh_profile": "demo",
        "mesh_release_source": [str(stage.release.root)],
    }
    tasks = 0

    def one() -> float:
        return stage.ansible.play([{"meshops.istio.control_plane": stage.control_plane}]).seconds

    def one_ping() -> float:
        return stage.ansible.play([PING]).seconds + 0.7

    def site() -> float:
        nonlocal tasks
        play = stage.ansible.playbook("meshops.istio.site", variables)
        tasks = sum(not task.action.startswith("ansible.builtin.include_") for task in play.tasks)
        return play.seconds

    def as_many_pings() -> float:
        return stage.ansible.play([PING] * tasks).seconds + 0.7

    site()
    of_one, of_ping, of_site, of_pings = in_turn(2 if stage.short else 5, one, one_ping, site, as_many_pings)
    return [
        compared("again: a playbook of the one task", of_one, of_ping, peer="a ping + 0.7 s", goal=1),
        compared(f"again: site, {tasks} tasks", of_site, of_pings, peer=f"{tasks} pings + 0.7 s", goal=1),
    ]


def repair(stage: Stage) -> list[Result]:
    """One field that was changed by hand: found and repaired."""
    stage.install()
    manifest = stage.manifest

    def ours() -> float:
        _change(stage)
        return stage.install(changes=True).seconds

    def theirs() -> float:
        _change(stage)
        return stage.kubectl_apply(manifest, "--field-manager", MANAGER) + stage.ping()

    figures = in_turn(2 if stage.short else 7, ours, theirs)
    return [compared("one field repaired", *figures, peer="kubectl apply --server-side + a ping", goal=0.6)]


def check(stage: Stage) -> list[Result]:
    """Check mode with a diff of one field that was changed by hand."""
    stage.install()
    manifest = stage.manifest
    _change(stage)

    def ours() -> float:
        options = stage.control_plane
        return stage.module("control_plane", options, changes=True, check_mode=True, diff=True).seconds

    def theirs() -> float:
        arguments = ["diff", "--server-side", "--force-conflicts", "--field-manager", MANAGER, "-f", str(manifest)]
        return stage.kubectl(*arguments, codes=(0, 1)) + stage.ping()

    figures = in_turn(2 if stage.short else 7, ours, theirs)
    stage.install()
    return [compared("check mode with a diff", *figures, peer="kubectl diff --server-side + a ping", goal=0.6)]


def requests(stage: Stage) -> list[Result]:
    """What the API server is asked when nothing changes."""
    stage.install()
    begun = now()
    stage.install(changes=False)
    seen = stage.requests_since(begun)
    writes = sum(request.is_write for request in seen)
    return [
        Result("writes when nothing changes", writes, 0, unit=""),
        Result("reads when nothing changes", len(seen) - writes, 25, unit=""),
    ]


def _change(stage: Stage) -> None:
    stage.kubectl(
        *("patch", "deployment", _DEPLOYMENT, "--namespace", "istio-system", "--patch"),
        '{"spec": {"strategy": {"rollingUpdate": {"maxSurge": "50%"}}}}',
    )
