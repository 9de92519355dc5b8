# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Upgrade a mesh by a second control plane, or roll it back."""

from __future__ import annotations

from ..arguments import GATE
from ..istio.upgrade.state import STEPS
from ..kube.errors import InvalidInput
from ..task import Definition, Result, Task
from .upgrade_steps import Upgrade


def upgrade(task: Task) -> Result:
    """Carry out the steps of the upgrade, or roll it back."""
    for name, least in (("max_unavailable", 1), ("interval", 0), ("grace_period", 0)):
        if task.params[name] < least:
            raise InvalidInput(f"{name} {task.params[name]:g} is invalid: it must be {least} or more.", option=name)
    work = Upgrade(task)
    return work.roll_back() if task.params["state"] == "rolled_back" else work.run()


DEFINITION = Definition(
    {
        "control_plane": {"type": "dict", "required": True},
        "state": {"type": "str", "choices": ["upgraded", "rolled_back"], "default": "upgraded"},
        "steps": {"type": "list", "elements": "str", "choices": list(STEPS), "default": list(STEPS)},
        "from_revision": {"type": "str"},
        "allow_downgrade": {"type": "bool", "default": False},
        "interrupt": {"type": "bool", "default": False},
        "namespaces": {"type": "list", "elements": "str"},
        "waves": {"type": "list", "elements": "raw", "default": []},
        "wave_size": {"type": "str", "default": "1"},
        "wave_label": {"type": "str"},
        "max_unavailable": {"type": "int", "default": 2},
        "interval": {"type": "float", "default": 30},
        "grace_period": {"type": "float", "default": 60},
        **GATE,
        "wait_timeout": {"type": "int", "default": 300},
    },
    upgrade,
    nested=("control_plane",),
)
