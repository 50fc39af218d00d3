"""The master's side of a worker's lines: taken in order and once, written down, acknowledged."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from palier.load.writes import writes_file
from scenarios.output import RAW_COLUMNS


class Inbox:
    """The lines of one worker, as files of the run directory.

    The files are those a single loader writes itself, so whoever reads them need not know.

    Attributes:
        lines: How many have been written down.
        final: True when the last one has been.
        fenced: True when the worker was given up: nothing of it is taken any more.

    Args:
        folder: Existing folder.
        worker: Index of the worker.
        raw: True when it sends samples, too.
    """

    def __init__(self, folder: Path, *, worker: int, raw: bool) -> None:
        self.lines = 0
        self.final = False
        self.fenced = False
        self._lines = (folder / f"worker-{worker}.jsonl").open("w", encoding="utf-8")
        self._writes = writes_file(folder, worker).open("w", encoding="utf-8")
        self._raw = (folder / f"raw-{worker}.csv").open("w", encoding="utf-8") if raw else None
        if self._raw is not None:
            self._raw.write(RAW_COLUMNS)

    def take(self, packet: dict[str, Any]) -> bool:
        """Write a packet down, if it is the next one.

        Returns:
            True when it was: what was taken before is not taken twice, and what comes after a
            missing one will be sent again.
        """
        if self.fenced or packet["seq"] != self.lines:
            return False
        # The line last: when it is there, what belongs to it is there.
        _append(self._writes, packet["writes"])
        if self._raw is not None:
            _append(self._raw, packet["samples"])
        _append(self._lines, packet["line"])
        self.lines += 1
        self.final = bool(packet["final"])
        return True

    def close(self) -> None:
        """Close the files."""
        for file in (self._lines, self._writes, self._raw):
            if file is not None:
                file.close()


def _append(file: IO[str], text: str) -> None:
    file.write(text)
    file.flush()
