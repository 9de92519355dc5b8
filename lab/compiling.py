# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the compiler of Go, and tell how far it is."""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from .errors import LabError
from .shell import last_lines, shown

LIST_FORMAT = '{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles "\t"}}'
"""What `go list` is asked for each package."""

_LINKING = 0.08  # the share of a build that comes after the last package

Shares = Callable[[], Mapping[str, float]]
"""The share of all source that each package has; empty as long as it is not known."""


@contextlib.contextmanager
def shares(argv: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Iterator[Shares]:
    """List the packages of a build beside it: how long each takes goes with the size of its source."""
    known: dict[str, float] = {}
    words = [str(word) for word in argv]
    with (
        tempfile.TemporaryFile() as listed,
        subprocess.Popen(words, cwd=folder, env=environment, stdout=listed, stderr=subprocess.DEVNULL) as process,
    ):

        def found() -> Mapping[str, float]:
            if not known and process.poll() == 0:
                listed.seek(0)
                sizes = dict(map(_size, listed.read().decode().splitlines()))
                whole = sum(sizes.values()) or 1
                known.update({package: size / whole for package, size in sizes.items()})
            return known

        try:
            yield found
        finally:
            process.kill()


def _size(line: str) -> tuple[str, int]:
    package, folder, *files = line.split("\t")
    total = 0
    for file in files:
        with contextlib.suppress(OSError):  # a file that is made during the build
            total += (Path(folder) / file).stat().st_size
    return package, total


def run_build(
    argv: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str],
    shares: Shares,
    far: Callable[[str], None],
    left: Callable[[float], str],
) -> None:
    """Run a verbose `go build`; tell `far` which packages are compiled, and what `left` says of their share.

    Raises LabError with the compiler's last words.
    """
    compiled: list[str] = []
    counted, share = 0, 0.0
    said = deque[str](maxlen=20)
    words = [str(word) for word in argv]
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            if re.fullmatch(r"[\w.\-/]+\n", line):
                compiled.append(line.strip())
                known = shares()
                if known:
                    share += (1 - _LINKING) * sum(known.get(package, 0.0) for package in compiled[counted:])
                    counted = len(compiled)
                of = f" of at most {len(known)}" if known else ""
                text = f"{len(compiled)}{of} packages compiled, now {compiled[-1]}"
                far("; ".join(filter(None, (text, left(share)))))
    if process.returncode:
        raise LabError(f"{shown(argv)} failed: {last_lines(''.join(said), 6)}")
