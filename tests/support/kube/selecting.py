# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors, as the API server reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping


def selected(labels: Mapping[str, str], selector: str) -> bool:
    """Whether an object with these labels is selected."""
    for part in filter(None, re.split(r",(?![^(]*\))", selector)):
        among = re.fullmatch(r"(\S+) in \((.*)\)", part)
        if among:
            if labels.get(among[1]) not in among[2].split(","):
                return False
        elif "=" in part:
            key, _equal, value = part.partition("=")
            if labels.get(key) != value:
                return False
        elif part not in labels:
            return False
    return True
