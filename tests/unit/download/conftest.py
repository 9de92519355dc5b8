# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers to download from."""

from __future__ import annotations

from ansible_collections.meshops.istio.tests.support.download_server import _nothing_of_this_machine, authority, serve

__all__ = ["_nothing_of_this_machine", "authority", "serve"]
