"""A disk that is full or closed is not a bug of ours: told as an error, wherever it was met."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from palier.errors import DiskError

TROUBLE: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.EFBIG,
    }
)
"""Errors of a disk or of rights on it. Any other one may be our own mistake and stays one."""


@contextmanager
def disk_errors_told(where: Path | str) -> Iterator[None]:
    """Around everything that writes.

    Args:
        where: Named where the error itself names no file: a full disk is met while writing, when
            only the handle is known. Directory of a run, or ``"stdout"``.

    Raises:
        DiskError: The disk is full, or files there cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in TROUBLE:
            raise
        raise DiskError(
            what=f"cannot write: {os.strerror(error.errno)}",
            where=str(error.filename or where),
            fix="free space or permissions there, or write to another place",
        ) from error
