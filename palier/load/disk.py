"""The disk of the run directory: room is held back, so that a run on a full disk ends in order.

Without it the end of such a run could not be written down, and least of all why.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Final

from palier.errors import DiskError

RESERVE_BYTES: Final = 16 * 2**20
"""Ledger, histograms, findings and reports of a run of an hour take less."""

LOW_BYTES: Final = 2 * 2**20
"""With less than this beside the reserve a disk counts as full: loaders write up to a few hundred
kilobytes a second, and they are looked at once a second."""


class Reserve:
    """Room that is ours until we need it, or end. Leaving the ``with`` block gives it back.

    It is held by a file without a name, so that nothing is left of it if we are killed.

    Args:
        folder: On the disk in question.

    Raises:
        DiskError: There is not enough room for a run at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        file, name = tempfile.mkstemp(dir=folder, prefix=".reserve-")
        Path(name).unlink()
        if not hasattr(os, "posix_fallocate"):
            os.close(file)
            return  # macOS: nothing is held, and a full disk is then met by writing
        try:
            os.posix_fallocate(file, 0, RESERVE_BYTES)
        except OSError as error:
            os.close(file)
            if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
                return  # such a file system promises nothing; a full disk is then met by writing
            raise DiskError(
                what=f"no room for a run: {os.strerror(error.errno or 0)}",
                where=str(folder),
                fix=f"free {RESERVE_BYTES // 2**20} MiB there and more, or write elsewhere (--out)",
            ) from error
        self._file = file

    def __enter__(self) -> Reserve:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def held(self) -> bool:
        """Whether there is something to give back."""
        return self._file is not None

    def release(self) -> None:
        """Give the room back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_low(self) -> bool:
        """True when nearly nothing is left beside the reserve."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize < LOW_BYTES
