# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How files are downloaded."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that may download files."""

    DOCUMENTATION = r"""
options:
  download_timeout:
    description:
      - How long downloads may take together, in seconds, waiting for another run that fetches the same release included.
    type: int
    default: 600
  download_proxy:
    description:
      - The URL of an HTTP proxy for downloads, such as V(http://user:password@proxy.example.com:3128). By default the
        one that the environment names (E(HTTPS_PROXY), E(HTTP_PROXY), E(NO_PROXY)).
    type: str
  download_ca_cert:
    description:
      - Path of the CA certificates that download servers' certificates are checked with. By default the system's.
    type: path
  download_client_cert:
    description:
      - Path of a client certificate, as PEM, for download servers that ask for one. It may hold the key too.
    type: path
  download_client_key:
    description:
      - Path of the key of O(download_client_cert), as PEM and not encrypted.
    type: path
"""
