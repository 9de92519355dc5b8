# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with credentials for OpenSSL and other programs, in memory, so that a killed run leaves none behind.

On systems without them (macOS) they are in the temporary folder, for this user only, and the next run deletes those of
killed runs.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import tempfile
from typing import Any

_ON_DISK = re.compile(r"meshops-(\d+)-")


class MemoryFile(str):
    """The path of a file that exists as long as this object, or until `close`.

    Programs that this process starts can open it too.
    """

    _close: Any

    def close(self) -> None:
        """Delete the file."""
        vars(self).pop("_close", _nothing)()

    def __enter__(self) -> MemoryFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    # A copy would delete the same file twice.
    def __copy__(self) -> MemoryFile:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> MemoryFile:
        return self


def memory_file(content: bytes) -> MemoryFile:
    """Create a file with this content that only this user can open."""
    handle = _in_memory()
    if handle is None:
        return _on_disk(content)
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(content)
    made = MemoryFile(f"/proc/{os.getpid()}/fd/{handle}")
    made._close = lambda: _closed(handle)
    return made


def _in_memory() -> int | None:
    """Return the descriptor of a new file in memory; None if it would have no path for other programs."""
    if not os.path.isdir(f"/proc/{os.getpid()}/fd"):
        return None
    try:
        handle = os.memfd_create("meshops")
    except (AttributeError, OSError):
        return None
    os.fchmod(handle, 0o600)
    return handle


def _on_disk(content: bytes) -> MemoryFile:
    _sweep()
    handle, path = tempfile.mkstemp(prefix=f"meshops-{os.getpid()}-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    made = MemoryFile(path)
    made._close = lambda: _removed(path)
    atexit.register(_removed, path)
    return made


def _sweep() -> None:
    """Delete the files of this user's runs that were killed."""
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            owner = _ON_DISK.match(entry.name)
            if owner and not _runs(int(owner[1])) and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                _removed(entry.path)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _closed(handle: int) -> None:
    with contextlib.suppress(OSError):
        os.close(handle)


def _removed(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _nothing() -> None:
    pass
