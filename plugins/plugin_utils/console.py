# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show texts beside the output of the callback plugin."""

from __future__ import annotations

from ansible import constants
from ansible.utils.display import Display


def show(text: str) -> None:
    """Show a text on standard output, or on standard error if the callback plugin writes JSON to standard output."""
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    Display().display(text, stderr="json" in callback)
