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
      - On a local connection a relative path is looked up as V(src) of M(ansible.builtin.copy) is, and then in the
        current folder.
      - Without it the official downloads.
      - Can also be given as environment variable E(MESHOPS_RELEASE_SOURCE), separated by commas.
    type: list
    elements: str
  cache_dir:
    description:
      - Folder in which fetched releases are kept.
      - The default is E(MESHOPS_CACHE), else C(meshops-istio) in the user's cache folder, else, where that cannot be
        written, a temporary folder.
    type: path
  checksum:
    description:
      - The SHA-256 checksum of the release's archive, 64 hexadecimal digits, instead of the published one.
    type: str
  download_timeout:
    description:
      - How long a download may take, in seconds.
    type: int
    default: 600
  download_proxy:
    description:
      - The URL of an HTTP proxy for downloads. Without it the environment's.
    type: str
  download_ca_cert:
    description:
      - Path of the CA certificates that the download server's certificate is checked with.
    type: path
"""
