# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait options."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that wait for objects."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Wait until all objects are ready. In check mode, the module does not wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. After this time, the module fails and reports the objects that are not ready, with
        the reason.
    type: int
    default: 300
  wait_back_off:
    description:
      - How long a container may be in C(ImagePullBackOff) or C(CrashLoopBackOff), in seconds. After this time, the module
        fails and reports the cause.
      - "Default: until O(wait_timeout), because an image may be pushed late, and a container may crash until what it
        needs is there."
    type: int
"""

    PROXIES = r"""
options:
  wait:
    description:
      - Wait until all objects are ready, and until the proxies have received what was written or deleted. In check mode,
        the module does not wait.
      - The module asks istiod whether the proxies have acknowledged a change, for at most 20 seconds, and the proxies of
        a rate limit that was changed or removed whether connections that still have it are drained, for at most 60
        seconds; then it returns a warning. Without permission for C(pods/portforward), it does not wait for proxies.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. After this time, the module fails and reports the objects that are not ready, with
        the reason.
    type: int
    default: 300
  wait_back_off:
    description:
      - How long a container may be in C(ImagePullBackOff) or C(CrashLoopBackOff), in seconds. After this time, the module
        fails and reports the cause.
      - "Default: until O(wait_timeout), because an image may be pushed late, and a container may crash until what it
        needs is there."
    type: int
"""
