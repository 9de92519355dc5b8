# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Image mirrors and pull secrets."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that apply objects with images."""

    DOCUMENTATION = r"""
options:
  mirrors:
    description:
      - "Image mirrors of the site, as a dictionary of images or image prefixes and their replacements, for example
        V({docker.io/istio/: registry.example.com/istio/}). Entries that match no image are ignored."
      - A key is an image with or without its tag or digest, an image prefix that ends with C(/), or C(/) alone, which
        matches all images outside of the registry in its value. The longest matching key applies.
      - If a value has no tag or digest, the image keeps its own.
    type: dict
    default: {}
  pull_secrets:
    description:
      - Names of image pull Secrets in the namespaces of the pods. The Secrets must exist.
    type: list
    elements: str
    default: []
"""
