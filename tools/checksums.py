# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add the published checksums of Istio's releases to those that the collection knows: checksums.py 1.29.1 1.30.0.

One that is known already and published differently ends it: one of the two is wrong, and a person has to find out which.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ansible_collections.meshops.istio.plugins.module_utils.download.client import Client, NotThere
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.checksums import ARCHIVES
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.download import checksum_in
from ansible_collections.meshops.istio.plugins.module_utils.istio.release.find import OFFICIAL

PLATFORMS = ("linux-amd64", "linux-arm64", "linux-armv7", "osx-amd64", "osx-arm64")
FILE = Path(__file__).resolve().parents[1] / "plugins/module_utils/istio/release/checksums.py"


def main(versions: list[str]) -> int:
    """Ask for each version and platform, and write the file."""
    client = Client(timeout=600)
    known = dict(ARCHIVES)
    for version in versions:
        for platform in PLATFORMS:
            url = f"{OFFICIAL}/{version}/istio-{version}-{platform}.tar.gz.sha256"
            try:
                digest = checksum_in(client.read(url, limit=1 << 16).decode("ascii", "replace"), url)
            except NotThere:
                continue
            if known.setdefault(f"{version}-{platform}", digest) != digest:
                print(f"{url} says {digest}, and {known[f'{version}-{platform}']} is known: nothing is written.")
                return 1
    FILE.write_text(written(FILE.read_text(encoding="utf-8"), known), encoding="utf-8")
    print(f"{len(known) - len(ARCHIVES)} added, {len(known)} known")
    return 0


def written(text: str, known: dict[str, str]) -> str:
    """The text of the file with these checksums, by version."""

    def order(name: str) -> list[int | str]:
        return [int(part) if part.isdigit() else part for part in re.split(r"[.-]", name)]

    lines = "".join(f'    "{name}": "{known[name]}",\n' for name in sorted(known, key=order))
    return re.sub(r"(?<=: dict\[str, str\] = \{\n).*?(?=^\})", lines, text, flags=re.DOTALL | re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
