# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download options."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that download files."""

    DOCUMENTATION = r"""
options:
  download_timeout:
    description:
      - Timeout of all downloads together, in seconds. It includes waiting for another run that downloads the same
        release.
    type: int
    default: 600
  download_proxy:
    description:
      - "URL of an HTTP proxy for downloads, for example V(http://user:password@proxy.example.com:3128). Default: the
        environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY)."
    type: str
  download_ca_cert:
    description:
      - "Path of the CA certificates to verify download servers with. Default: the CA certificates of the system."
    type: path
  download_client_cert:
    description:
      - Path of a client certificate in PEM format, for download servers that require one. The file may also contain the
        private key.
    type: path
  download_client_key:
    description:
      - Path of the private key of O(download_client_cert), in PEM format and unencrypted.
    type: path
"""
