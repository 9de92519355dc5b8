# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of an Istio release against what is published about it."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that check if a release is supported and free of known vulnerabilities."""

    DOCUMENTATION = r"""
options:
  security:
    description:
      - What to do about a release that is past its end of life, that an Istio security bulletin affects, or whose images
        are in a retired registry. V(warn) returns warnings, V(strict) fails before the first write, V(ignore) does not
        check.
    type: str
    choices: [warn, strict, ignore]
    default: warn
  end_of_life_days:
    description:
      - Number of days before the end of life of a release to start to warn. It is always a warning.
    type: int
    default: 30
  release_data:
    description:
      - "Files with newer data about Istio releases than this collection contains, in YAML or JSON, or the data itself, for
        example V({releases: {'1.31': {newest: 1.31.5}}}). Keys that are not listed keep their values."
      - A relative path is searched for on the controller, in the same way as V(src) of M(ansible.builtin.copy), then in
        the current directory.
    type: list
    elements: raw
    default: []
"""
