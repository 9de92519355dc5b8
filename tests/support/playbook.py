# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the collection's playbooks as a person does, from a folder that has nothing to do with the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FATAL = re.compile(r"^(?:fatal|failed): \[([\w-]+)\](?:: FAILED!| \(item=.*\)) => (\{.*\})$", re.MULTILINE)
_RECAP = re.compile(r"^([\w-]+) +: ok=\d+ +changed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    returncode: int
    output: str
    errors: str

    @property
    def text(self) -> str:
        """All that was written."""
        return self.output + self.errors

    @property
    def failures(self) -> dict[str, str]:
        """The message of what failed first on each failed host; what no_log hides has none.

        The last task of the role repeats it, with the name of the task.
        """
        return dict(reversed(self._fatal()))

    @property
    def last_failures(self) -> dict[str, str]:
        """The message of what each failed host has failed by in the end, where what failed first was rescued."""
        return dict(self._fatal())

    def _fatal(self) -> list[tuple[str, str]]:
        results = ((host, json.loads(result)) for host, result in _FATAL.findall(self.text))
        return [(host, result["msg"]) for host, result in results if "msg" in result]

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host."""
        return {host: int(count) for host, count in _RECAP.findall(self.text)}

    @property
    def summary(self) -> list[str]:
        """The lines of the summary, without the columns' spaces."""
        _before, _title, rest = self.text.rpartition(": Summary]")
        _stars, _end, shown = rest.partition("\n")
        lines = re.split(r"^(?:ok|fatal): ", shown, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
        return [" ".join(line.split()) for line in lines if line.strip()]


def run_playbook(
    name: str, *arguments: str, hosts: Mapping[str, Mapping[str, Any]], folder: Path, home: Path | None = None
) -> Run:
    """Run a playbook on `hosts` (their variables by name), with `folder` to work in."""
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return run_program("ansible-playbook", name, "--inventory", str(inventory), *arguments, folder=folder, home=home)


def run_program(
    name: str, *arguments: str, folder: Path, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> Run:
    """Run one of Ansible's programs, with `folder` to work in, and with more in its environment."""
    given = {
        key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))
    }
    given |= {"ANSIBLE_NOCOLOR": "1", **({"HOME": str(home)} if home else {}), **(environment or {})}
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    done = subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr)
