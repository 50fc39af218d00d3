"""The server's own log: what every request really got, noted by nobody who is measured."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

COLUMNS: Final = ("session", "received_ns", "due_ns", "answered_ns")
"""The session of a path ``.../session/<n>``, else -1; when the request was read; when the law
wanted it answered; and when the answer was given to the kernel (before the call: nobody can have
it sooner). Instants of CLOCK_MONOTONIC."""

NO_SESSION: Final = -1
_ROW: Final = np.dtype([(name, "<i8") for name in COLUMNS])


class AnswerLog:
    """Grows by four integers an answer; arrays of machine integers, so nothing is allocated for
    each and no collector has to look at them."""

    def __init__(self) -> None:
        self._columns = tuple(array("q") for _ in COLUMNS)
        self._add = tuple(column.append for column in self._columns)

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, session: int, received_ns: int, due_ns: int, answered_ns: int) -> None:
        """Note one answer."""
        add = self._add
        add[0](session)
        add[1](received_ns)
        add[2](due_ns)
        add[3](answered_ns)

    def write(self, path: Path) -> None:
        """Everything so far, as ``.npy`` or else as CSV; readers never see half of it."""
        rows = np.empty(len(self), dtype=_ROW)
        for name, column in zip(COLUMNS, self._columns, strict=True):
            rows[name] = np.array(column, dtype=np.int64)
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            if path.suffix == ".npy":
                np.save(file, rows)
            else:
                np.savetxt(
                    file, rows, fmt="%d", delimiter=",", header=",".join(COLUMNS), comments=""
                )
        part.replace(path)


def read_log(path: Path) -> NDArray[np.void]:
    """Rows of a log, one field a column, in the order in which they were answered."""
    if path.suffix == ".npy":
        rows: NDArray[np.void] = np.load(path)
        return rows
    return np.atleast_1d(np.loadtxt(path, dtype=_ROW, delimiter=",", skiprows=1))
