"""What the master notes beside the workers' lines: clocks, who is silent, where a fence is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTES_FILE = "master.jsonl"


class MasterNotes:
    """The master's file, read as far as it is written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTES_FILE
        self._position = 0

    def read(self) -> Iterator[dict[str, Any]]:
        """Whole notes since the last call; none when there is no master."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                content = file.read()
        except FileNotFoundError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        for text in whole.splitlines():
            yield json.loads(text)
