# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources of Istio releases (istioctl, manifests, samples)."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that need an Istio release."""

    DOCUMENTATION = r"""
options:
  source:
    description:
      - Sources of the release. The first source that has the release is used.
      - A source is a directory (an unpacked release, or a directory with C(istio-VERSION) directories or archives), an
        archive, or a base URL with the layout of the official downloads, C(VERSION/istio-VERSION-OS-ARCH.tar.gz) next
        to its C(.sha256) file.
      - "A URL may contain a user name and a password. Default: the credentials in the user's C(.netrc)."
      - A URL must use C(https) unless O(checksum) is set. Redirects from C(https) to C(http) are refused.
      - On a local connection, a relative path is searched for in the same way as V(src) of M(ansible.builtin.copy),
        then in the current directory.
      - "Default: the official downloads."
      - Can also be set with the environment variable E(MESHOPS_RELEASE_SOURCE), separated by commas.
    type: list
    elements: str
  cache_dir:
    description:
      - Directory for downloaded releases. A cached release is used only if it is complete, belongs to the current user
        or to root, and is not writable by others. Otherwise it is downloaded again.
      - "Default: E(MESHOPS_CACHE), or C(meshops-istio) in the user's cache directory, or a temporary directory if the
        cache directory is not writable."
    type: path
  checksum:
    description:
      - SHA-256 checksum of the release archive, as 64 hexadecimal digits. Releases with another checksum are not used,
        including cached releases.
      - "Default: the checksum that this collection knows for the version, or the checksum that is published next to the
        archive."
    type: str
  download_headers:
    description:
      - "HTTP headers for downloads, for example V({Authorization: Bearer TOKEN}). They are sent to the URLs in
        O(source) only, and not to the targets of redirects."
    type: dict
    default: {}
"""
