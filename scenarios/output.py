"""Where a loader's lines, its writes and raw samples go: files it flushes once a second."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from palier.load.recorder import Sent
from palier.load.writes import Write, last_line, writes_file
from scenarios.spool import Spool

RAW_COLUMNS: Final = "session,operation,outcome,intended_us,started_us,ended_us\n"


class Output:
    """The files of one loader.

    What was flushed survives the loader, though not the machine: a power cut ends a run anyway,
    and waiting for the disk would make requests late.

    Args:
        folder: Existing folder.
        worker: Index of the loader.
        raw: True to write every request on its own, too, as an independent log.

    Attributes:
        wants_samples: True if it is to be told of every request.
    """

    def __init__(self, folder: Path, *, worker: int, raw: bool) -> None:
        self._lines = Spool(folder / f"worker-{worker}.jsonl")
        self._writes = Spool(writes_file(folder, worker))
        self._written = 0
        self.wants_samples = raw
        self._raw = Spool(folder / f"raw-{worker}.csv") if raw else None
        if self._raw is not None:
            self._raw.add(RAW_COLUMNS)

    def line(self, text: str, *, seq: int, final: bool) -> None:  # noqa: ARG002  of every sink
        """Write a line and flush everything; what a full disk does not take is tried again."""
        self._lines.add(text)
        self._lines.flush()
        self._writes.flush()
        if self._raw is not None:
            self._raw.flush()

    def sample(self, sent: Sent) -> None:
        """Told of a request that was sent."""
        if self._raw is not None:
            self._raw.add(sample_line(sent))

    def write(self, write: Write) -> None:
        """Told of every request that was to change something, when its fate is known."""
        self._writes.add(write.line())
        self._written += 1

    def close(self) -> None:
        """Close the files; nothing more will be written.

        Raises:
            OSError: The disk is full, and nobody made room.
        """
        self._writes.add(last_line(self._written))
        self._writes.close()
        self._lines.close()
        if self._raw is not None:
            self._raw.close()


def sample_line(sent: Sent) -> str:
    """One request of the independent log, columns ``RAW_COLUMNS``."""
    return (
        f"{sent.session},{sent.operation},{sent.outcome},"
        f"{sent.intended_us},{sent.started_us},{sent.ended_us}\n"
    )
