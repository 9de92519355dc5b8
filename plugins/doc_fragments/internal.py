# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A note of plugins that are not part of the public interface."""

from __future__ import annotations


class ModuleDocFragment:
    """For plugins that only roles of this collection use."""

    DOCUMENTATION = r"""
options: {}
notes:
  - For the roles of this collection. It is not part of the public interface, so that any version may change it.
"""
