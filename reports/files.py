"""Writing report files: all of a file or none of it, and a clear error when that fails."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from palier.errors import PalierError


class ReportError(PalierError):
    """A report file could not be written; exit code 5, the run's data are untouched."""


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that a reader sees the old file or the whole new one.

    The text goes to a temporary file beside ``path``, is flushed to the disk and renamed.
    Lone surrogates (from broken input) become question marks rather than a crash.

    Raises:
        ReportError: The disk is full, the directory is missing or not writable.
    """
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", errors="replace"))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as err:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = err.strerror or type(err).__name__
        raise ReportError(
            what=f"cannot write the report file {path.name}: {reason}",
            where=str(path),
            fix="free space or permissions there, then rebuild with: palier report "
            + str(path.parent),
        ) from err


def make_folder(path: Path) -> None:
    """Create ``path`` and its parents; an existing folder is fine.

    Raises:
        ReportError: It cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise ReportError(
            what=f"cannot create the report folder: {err.strerror or type(err).__name__}",
            where=str(path),
            fix="free space or permissions there, or choose another folder with --out",
        ) from err
