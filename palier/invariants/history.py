"""From the writes of a run to what the database should hold of them. Pure.

A write without an answer may have been made, at any time: a request that was given up goes on in
the server. So a created row "may" be there, and a column that such a request was to set may have
its value or the one that was acknowledged, whichever came last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from palier.load.writes import Write
from palier.model.jsonvalue import Jsonable

Presence = Literal["once", "at_most_once", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One row as it should be.

    Attributes:
        kind: Name of its kind.
        id: Of the row; None when no answer gave it.
        presence: How often it is there.
        created: True when this run created it, or may have.
        row: Columns with the value they have, if the row is there.
        maybe: Columns that have one of several values.
        born_with: The columns it was created with; None for a row that was there before.
        told: Operation and session of the last write to it, for whoever looks for the cause.
    """

    kind: str
    id: str | None
    presence: Presence
    created: bool
    row: Mapping[str, Jsonable]
    maybe: Mapping[str, tuple[Jsonable, ...]]
    born_with: Mapping[str, Jsonable] | None
    told: str


class _Row:
    """An expectation while the writes are gone through."""

    def __init__(self, kind: str, id_: str | None) -> None:
        self.kind = kind
        self.id = id_
        self.presence: Presence = "once"
        self.born_with: Mapping[str, Jsonable] | None = None
        self.row: dict[str, Jsonable] = {}
        self.alternatives: dict[str, list[Jsonable]] = {}
        self.told = ""

    def expected(self) -> Expected:
        maybe: dict[str, tuple[Jsonable, ...]] = {}
        for column, values in self.alternatives.items():
            # Of a row that was there before, only what this run wrote to it is known.
            if column in self.row:
                maybe[column] = (self.row[column], *values)
        return Expected(
            kind=self.kind,
            id=self.id,
            presence=self.presence,
            created=self.born_with is not None,
            row={name: value for name, value in self.row.items() if name not in maybe},
            maybe=maybe,
            born_with=self.born_with,
            told=self.told,
        )


def expectations(writes: Iterable[Write]) -> tuple[Expected, ...]:
    """What should be there, in the order in which the rows were first written.

    Args:
        writes: In the order their answers came. A row is written by one session at a time.
    """
    known: dict[tuple[str, str], _Row] = {}
    nameless: list[_Row] = []
    for write in writes:
        if write.fate == "refused":
            continue
        if write.id is None:
            row = _Row(write.kind, None)
            nameless.append(row)
        else:
            row = known.setdefault((write.kind, write.id), _Row(write.kind, write.id))
        row.told = f"{write.operation} of session {write.session}"
        _apply(row, write)
    return tuple(row.expected() for row in (*known.values(), *nameless))


def _apply(row: _Row, write: Write) -> None:
    sure = write.fate == "acknowledged"
    if write.action == "create":
        row.born_with = write.row
        row.row.update(write.row)
        row.presence = "once" if sure else "at_most_once"
    elif write.action == "change":
        if sure:
            row.row.update(write.row)
        else:
            for column, value in write.row.items():
                row.alternatives.setdefault(column, []).append(value)
    elif row.presence != "never":
        row.presence = "never" if sure else "at_most_once"
