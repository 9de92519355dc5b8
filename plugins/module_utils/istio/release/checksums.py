# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known checksums of the official archives of releases.

Written by `make checksums` from the published .sha256 files. Those of 1.8 and 1.9 are the same, as recorded by the
Ansible role andrewrothstein.istio (commit 0159275a) in February 2021.
"""

from __future__ import annotations

ARCHIVES: dict[str, str] = {
    "1.8.0-linux-amd64": "8b41dfac9836772480fa07227262fbc99c449f33799ad9e4950fd7b5323ab9e5",
    "1.8.0-linux-arm64": "a445928c39414ff33da4aede57efb1bceda65fe94f334e8b2b12457712068f6e",
    "1.8.0-linux-armv7": "d2ea6bd20b6dcb646ab8072c8f7ac7cb2905e503c8cae7c294e16d1691204b6d",
    "1.8.1-linux-amd64": "cb39fb7fc8d99b172aefc7dba197588839d15ce682f515684548ec21301e13ff",
    "1.8.1-linux-arm64": "e255188efd5fc6ab9ea65c206ea66d5c8af354967950c17ef6bf106e270ab7f6",
    "1.8.1-linux-armv7": "d58fa6eb5f2242386b04c5599be55e8090d2f6d289fc772b386986a1855d4fd7",
    "1.8.2-linux-amd64": "1eda8d3700eeb1dd6a6351d7b55f0a0d01ac4355b5c2ab4c77ec320b47f966db",
    "1.8.2-linux-arm64": "a4715740293a34acc043eb2ea6e9ef2ae68a742d1ee119183f9e068ac291a0b0",
    "1.8.2-linux-armv7": "522bc158731065eee306f2461c4ae03170461941ac40c3763a9bb2642acad367",
    "1.9.0-linux-amd64": "51c9e23a7be9211c9fe0fc1083cae89975984e7a87646db6f42014765a986d19",
    "1.9.0-linux-arm64": "c78f611d39b96e306b8bb954faddd741e526611805fb3af6c0fd0e9d6f3b7b82",
    "1.9.0-linux-armv7": "0399a9b27f3b923941f0a2e78559b90c246cf8a161ad3db0bdb6157f5ef81b55",
}
"""The SHA-256 by version and platform, as in the archive's name."""
