"""What a run has written, as the load generator knows it: one line for each write it sent.

The database is compared with these lines after the run (``palier.invariants``). A loader writes
them beside its other lines, flushes them once a second, and ends with a line that says so: without
it the loader was lost, and what it wrote last is not known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from palier.errors import RunFilesError
from palier.model.jsonvalue import Jsonable, from_jsonable

WRITES_SCHEMA: Final = 1

Action = Literal["create", "change", "delete"]

Fate = Literal["acknowledged", "refused", "unanswered"]
"""acknowledged: the right answer came, whole. refused: the service said no (4xx). unanswered: timed
out, cut off, abandoned or failed on the way (5xx): the write may have been made or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write that a request is about to ask for.

    Attributes:
        kind: What is written, e.g. ``"reservation"``; ``palier.invariants.kinds`` knows its table.
        action: What is done to it.
        row: The columns it sets, as JSON; a creation names those that tell it from any other.
        id: Of the row; None for a creation, whose answer gives it.
    """

    kind: str
    action: Action
    row: Mapping[str, Any]
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write that was sent, and what became of it.

    Attributes:
        at_ns: When its answer had come or it was given up, an instant of ``time.monotonic_ns``.
        operation: The request's operation.
        tenant: Index of the tenant.
        session: Index of the session.
        kind: As in ``Intent``.
        action: As in ``Intent``.
        id: Of the row; None when no answer gave it.
        row: As in ``Intent``.
        fate: What became of it.
    """

    at_ns: int
    operation: str
    tenant: int
    session: int
    kind: str
    action: Action
    id: str | None
    row: Mapping[str, Jsonable]
    fate: Fate

    def line(self, *, ahead_ns: int = 0) -> str:
        """One line of a loader's file, with its end.

        Args:
            ahead_ns: How far the clock that gave ``at_ns`` is ahead of the driver's.
        """
        fields: dict[str, Jsonable] = {
            "at_ns": self.at_ns - ahead_ns,
            "operation": self.operation,
            "tenant": self.tenant,
            "session": self.session,
            "kind": self.kind,
            "action": self.action,
            "id": self.id,
            "row": dict(self.row),
            "fate": self.fate,
        }
        return _line(fields)


def last_line(count: int) -> str:
    """The line after the last write: all ``count`` of them are there."""
    return _line({"end": True, "writes": count})


def _line(fields: Mapping[str, Jsonable]) -> str:
    return json.dumps({"schema": WRITES_SCHEMA, **fields}, separators=(",", ":")) + "\n"


def writes_file(folder: Path, worker: int) -> Path:
    """Where a loader writes them."""
    return folder / f"writes-{worker}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLog:
    """The writes of a run.

    Attributes:
        writes: In the order their answers came.
        unknown: Loaders whose last writes are not known.
    """

    writes: tuple[Write, ...]
    unknown: tuple[int, ...]


def read_writes(folder: Path, *, workers: int) -> WriteLog:
    """The writes of all loaders.

    Raises:
        RunFilesError: A line other than the last of a lost loader is not one of ours.
    """
    writes: list[Write] = []
    unknown = []
    for worker in range(workers):
        found, complete = _read(writes_file(folder, worker))
        writes += found
        if not complete:
            unknown.append(worker)
    return WriteLog(
        writes=tuple(sorted(writes, key=lambda write: write.at_ns)), unknown=tuple(unknown)
    )


def _read(path: Path) -> tuple[list[Write], bool]:
    if not path.is_file():
        return [], False
    writes: list[Write] = []
    # What follows the last line end was being written when the loader was killed.
    *lines, _ = path.read_bytes().split(b"\n")
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            known = line["schema"] == WRITES_SCHEMA
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, f"line {number} is not a line of a loader") from error
        if not known:
            raise _damaged(path, f"line {number} is of another schema")
        if "end" in line:
            if line["writes"] != len(writes):
                raise _damaged(path, f"holds {len(writes)} writes instead of {line['writes']}")
            return writes, True
        writes.append(from_jsonable(Write, line, where=f"{path}:{number}"))
    return writes, False


def _damaged(path: Path, what: str) -> RunFilesError:
    return RunFilesError(what=what, where=str(path), fix="the file is damaged; run again")
