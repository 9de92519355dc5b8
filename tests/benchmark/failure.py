# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stops a measurement."""

from __future__ import annotations


class BenchmarkError(Exception):
    """Something that was to be measured did not work; the message is one sentence for a person."""
