"""What listeners saw, one line a thing, in ``load/listeners.jsonl``.

Times are microseconds since the epoch: what is received is compared with a commit on the server,
whose only clock in common with ours is the one on the wall.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from palier.errors import RunFilesError

NOTES_FILE: Final = "listeners.jsonl"


class Began(msgspec.Struct, frozen=True, tag="began", tag_field="note"):
    """First line: how many there are."""

    listeners: int


class Opened(msgspec.Struct, frozen=True, tag="opened", tag_field="note"):
    """The server said hello.

    Attributes:
        listener: Which.
        account: Whose socket it is.
        last: The event after which it hears everything.
    """

    listener: int
    at_us: int
    account: str
    last: int


class Received(msgspec.Struct, frozen=True, tag="received", tag_field="note"):
    """An event came.

    Attributes:
        listener: Which.
        number: Of the event.
        kind: ``plan``, ``status`` or ``content``.
        committed_us: The moment before its commit, by the server's clock.
        size: Bytes of the message.
    """

    listener: int
    at_us: int
    number: int
    kind: str
    committed_us: int
    size: int

    @property
    def delay_s(self) -> float:
        """From its commit to its receipt."""
        return (self.at_us - self.committed_us) / 1e6


class Lost(msgspec.Struct, frozen=True, tag="lost", tag_field="note"):
    """The line ended, or could not be had; it is tried again.

    Attributes:
        listener: Which.
        code: Of WebSocket or HTTP; 0 when there was no connection at all.
        reason: In words.
    """

    listener: int
    at_us: int
    code: int
    reason: str


class Left(msgspec.Struct, frozen=True, tag="left", tag_field="note"):
    """The end of the run, while the line was open or was being tried again.

    Attributes:
        listener: Which.
        is_open: Whether it was open.
    """

    listener: int
    at_us: int
    is_open: bool


class Ended(msgspec.Struct, frozen=True, tag="ended", tag_field="note"):
    """Last line: nothing is missing before it."""

    at_us: int


Note = Began | Opened | Received | Lost | Left | Ended

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Note)


class Notebook:
    """Writes notes to a file.

    Args:
        file: Open for writing; buffered.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, note: Note) -> None:
        """Add a line."""
        self._file.write(_ENCODER.encode(note) + b"\n")

    def flush(self) -> None:
        """Let readers see it."""
        self._file.flush()


def read_notes(path: Path) -> Iterator[Note]:
    """The notes of a run, in order.

    Raises:
        RunFilesError: The file is not there, or a line of it is damaged.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield _DECODER.decode(line)
                except msgspec.DecodeError as error:
                    raise RunFilesError(
                        what=f"line {number} is no note of a listener: {error}",
                        where=str(path),
                        fix="run again: the listeners were stopped in the middle of a line",
                    ) from error
    except OSError as error:
        raise RunFilesError(
            what=f"the notes of the listeners cannot be read: {error.strerror}",
            where=str(path),
            fix="run again",
        ) from error
