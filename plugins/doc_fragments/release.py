# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an Istio release (istioctl, manifests, samples) comes from."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that needs an Istio release."""

    DOCUMENTATION = r"""
options:
  source:
    description:
      - Where the release is taken from, the first that has it. Each is a folder (an unpacked release, or one that
        holds C(istio-VERSION) folders or archives), an archive, or a base URL with the layout of the official
        downloads, C(VERSION/istio-VERSION-OS-ARCH.tar.gz) beside its C(.sha256).
      - A URL may hold a user and a password. Without them those that the user's C(.netrc) has for the host are sent.
      - A URL has to be C(https) unless O(checksum) is given, and no redirect leads from C(https) to C(http).
      - On a local connection a relative path is looked up as V(src) of M(ansible.builtin.copy) is, and then in the
        current folder.
      - Without it the official downloads.
      - Can also be given as environment variable E(MESHOPS_RELEASE_SOURCE), separated by commas.
    type: list
    elements: str
  cache_dir:
    description:
      - Folder in which fetched releases are kept. What is in it is used only if it belongs to this user or to root,
        nobody else can write to it, and it is complete; otherwise it is fetched again.
      - The default is E(MESHOPS_CACHE), else C(meshops-istio) in the user's cache folder, else, where that cannot be
        written, a temporary folder.
    type: path
  checksum:
    description:
      - The SHA-256 checksum of the release's archive, 64 hexadecimal digits. A release that was not made of an archive
        with this checksum is not used, in the cache neither.
      - By default the one that this collection knows for the version, else the one that is published beside the archive.
    type: str
  download_headers:
    description:
      - HTTP headers for downloads, such as V(Authorization) with a token. They are sent to the URLs in O(source) only,
        and not to where these redirect to.
    type: dict
    default: {}
"""
