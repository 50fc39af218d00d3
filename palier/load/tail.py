"""Reading what loaders write while they write it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from palier.errors import RunFilesError
from palier.load.recorder import LINE_SCHEMA

Line = dict[str, Any]
"""One line of a loader, see docs/architecture.md."""


class Tail:
    """One loader's file, read as far as it is written.

    Attributes:
        worker: Index of the loader.
        final: True when its last line has been read.
    """

    def __init__(self, path: Path, *, worker: int) -> None:
        self.worker = worker
        self.final = False
        self._path = path
        self._position = 0
        self._seq = 0
        self._total: Counter[str] = Counter()

    def read(self) -> Iterator[Line]:
        """Whole lines since the last call. A half line of a killed loader stays unread.

        Raises:
            RunFilesError: A line is not one of ours, or one is missing.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                content = file.read()
        except FileNotFoundError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        for text in whole.splitlines():
            yield self._line(text)

    def _line(self, text: bytes) -> Line:
        try:
            line: Line = json.loads(text)
            in_order = line["schema"] == LINE_SCHEMA and line["seq"] == self._seq
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged("is not a line of a loader") from error
        if not in_order:
            raise self._damaged(f"is not line {self._seq} of schema {LINE_SCHEMA}")
        for _, _, counts in line["ledger"]:
            self._total.update(counts)
        if line.get("total", self._total) != self._total:
            raise self._damaged("does not add up with the lines before it")
        self._seq += 1
        self.final = bool(line["final"])
        return line

    def _damaged(self, what: str) -> RunFilesError:
        return RunFilesError(
            what=f"line {self._seq + 1} {what}",
            where=str(self._path),
            fix="the file is damaged; run again",
        )
