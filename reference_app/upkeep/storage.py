"""A directory of backups, in which only what is complete looks like a backup.

A backup is a directory, made under another name and renamed when everything in it has reached the
disk. A rename is all or nothing, so a full disk, a power cut or kill -9 leave no half backup.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reference_app.upkeep.errors import UpkeepError
from reference_app.upkeep.manifest import SUMS, check_files

_NAME = re.compile(r"backup-(\d{8}T\d{6}Z)")
_TIME = "%Y%m%dT%H%M%SZ"

_BEING_MADE = ".partial-"
_BEING_REMOVED = ".removed-"

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup.

    Attributes:
        path: Its directory.
        at: When it was made, in UTC.
    """

    path: Path
    at: datetime


class Storage:
    """One place where backups are kept.

    Args:
        directory: Must be there: one that is not mounted would else fill the disk below it.

    Raises:
        UpkeepError: There is no such directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        if not self.directory.is_dir():
            raise UpkeepError(
                f"{self.directory} is not a directory",
                fix="mount the storage, or create the directory once by hand",
            )

    @property
    def name(self) -> str:
        """As the backup log has it."""
        return str(self.directory)

    def backups(self) -> tuple[Backup, ...]:
        """Complete backups, oldest first."""
        found = [
            Backup(path, datetime.strptime(match[1], _TIME).replace(tzinfo=UTC))
            for path in self.directory.iterdir()
            if (match := _NAME.fullmatch(path.name)) and (path / SUMS).is_file()
        ]
        return tuple(sorted(found, key=lambda backup: backup.at))

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Be the only one that writes here; gives the lock's file descriptor.

        The kernel frees the lock when the last process that holds the descriptor has ended. A
        program we started holds it too, so that what it writes is not taken for abandoned.

        Raises:
            UpkeepError: Somebody else is writing.
        """
        file = os.open(self.directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UpkeepError(
                    f"another backup is being written to {self.directory}",
                    fix="wait until it has ended",
                ) from error
            self._sweep()
            yield file
        finally:
            os.close(file)

    def begin(self, at: datetime) -> Path:
        """A directory to make the backup of this instant in; closed to other users.

        Raises:
            UpkeepError: There is a backup of this second already.
        """
        if self._path(at).exists():
            raise UpkeepError(
                f"{self._path(at)} is there already", fix="start one backup a second at most"
            )
        path = self.directory / (_BEING_MADE + self._path(at).name)
        path.mkdir(mode=0o700)
        return path

    def publish(self, made: Path, at: datetime) -> Backup:
        """Turn what was begun into a backup, once it is on the disk."""
        for path in made.iterdir():
            _sync(path)
        _sync(made)
        made.rename(self._path(at))
        _sync(self.directory)
        return Backup(self._path(at), at)

    def copy(self, backup: Backup) -> Backup:
        """Take over a backup of another storage, checked as it arrived.

        Raises:
            VerificationError: What arrived differs.
        """
        made = self.begin(backup.at)
        for path in sorted(backup.path.iterdir()):
            shutil.copyfile(path, made / path.name)
        check_files(made)
        return self.publish(made, backup.at)

    def remove(self, backup: Backup) -> None:
        """Delete a backup; it stops being one before the first of its files goes."""
        leaving = self.directory / (_BEING_REMOVED + backup.path.name)
        backup.path.rename(leaving)
        _sync(self.directory)
        shutil.rmtree(leaving)

    def _path(self, at: datetime) -> Path:
        return self.directory / f"backup-{at.astimezone(UTC).strftime(_TIME)}"

    def _sweep(self) -> None:
        """Remove what those before us left unfinished; the lock says that they have ended."""
        for path in self.directory.iterdir():
            if path.name.startswith((_BEING_MADE, _BEING_REMOVED)):
                shutil.rmtree(path)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
