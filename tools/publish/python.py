# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the Python of the environment that the publishing tools are in, made if it is not there."""

from __future__ import annotations

import sys
from pathlib import Path

from . import environments

if __name__ == "__main__":
    newest = next(filter(None, map(environments.python, ("3.13", "3.12"))), None)
    if newest is None:
        sys.exit("publish-check needs Python 3.12 or 3.13, as the newest ansible-core does; install one.")
    lines = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8")
    wanted = [line for line in lines.splitlines() if line and not line.startswith("#")]
    print(environments.environment(newest, wanted) / "python")
