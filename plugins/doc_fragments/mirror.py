# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a site's images come from, and how they are pulled."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that brings images into a cluster."""

    DOCUMENTATION = r"""
options:
  mirrors:
    description:
      - Where the images of a whole site come from. One that is not used here is left alone.
      - A key is an image, with or without its version; or the beginning of images, ending in C(/); or just C(/), for the
        registry of each image that is not in the registry of the value. The longest that fits is taken. A value without
        a tag or digest keeps those that the image has.
    type: dict
    default: {}
  pull_secrets:
    description:
      - The names of Secrets to pull images with, in the namespaces of the pods. They have to be there.
    type: list
    elements: str
    default: []
"""
