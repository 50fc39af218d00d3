"""A file that takes what the disk takes; the rest is kept and tried again.

A full disk must not end a loader: what it measured so far would be lost with it, and whoever
watches it frees some space and ends the run in order (``palier.load.disk``).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk, a quota, or the size of a file is at its limit; that may pass."""


class Spool:
    """Opened anew.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        self._kept = bytearray()

    def add(self, text: str) -> None:
        """Keep it for the next flush."""
        self._kept += text.encode()

    def flush(self) -> bool:
        """Hand everything to the kernel; False when there is no room for all of it now.

        Raises:
            OSError: For another reason.
        """
        try:
            while self._kept:
                del self._kept[: os.write(self._file, self._kept)]
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return False
        return True

    def close(self) -> None:
        """Flush for the last time.

        Raises:
            OSError: There is no room for all of it.
        """
        try:
            while self._kept:
                del self._kept[: os.write(self._file, self._kept)]
        finally:
            os.close(self._file)
