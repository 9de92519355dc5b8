# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts pip into an empty virtual environment, as get-pip does, from what Python brings and the package index alone.

ansible-test would download get-pip from a site of its own, which a closed network has no way to; see tools/sanity.
Takes get-pip's arguments: requirements such as pip==24.2, and options, of which those about setuptools and wheel are
meaningless here.
"""

from __future__ import annotations

import subprocess
import sys


def main() -> None:
    """Install pip, then what the arguments ask for."""
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    arguments = [argument for argument in sys.argv[1:] if argument not in {"--no-setuptools", "--no-wheel"}]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *arguments], check=True)


if __name__ == "__main__":
    main()
