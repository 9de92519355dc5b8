# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run programs. This needs no AnsibleModule, whose run_command knows no timeout."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import IO


class Process(subprocess.Popen[str]):
    """A process that cannot ask its user: it has no standard input. `detached`: in a session of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
        detached: bool = False,
    ) -> None:
        super().__init__(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=detached,
        )


def run(
    command: Sequence[str], *, timeout: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its output. Raises subprocess.TimeoutExpired, and OSError if it cannot be started."""
    with Process(command, environment=environment) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)
