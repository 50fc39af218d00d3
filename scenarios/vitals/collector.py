"""What the collector of Python takes: it is frozen in a run, so every pause has a cause."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pauses:
    """Attributes:
    number: Collections.
    longest_s: The longest one.
    total_s: All of them.
    """

    number: int
    longest_s: float
    total_s: float


class CollectorWatch:
    """Times collections, whoever asked for them.

    Attributes:
        total_s: All pauses since the watch began.
    """

    def __init__(self) -> None:
        self.total_s = 0.0
        self._began = 0.0
        self._number = 0
        self._longest_s = 0.0
        self._told_s = 0.0

    def begin(self) -> None:
        gc.callbacks.append(self._on_collection)

    def end(self) -> None:
        gc.callbacks.remove(self._on_collection)

    def since_last(self) -> Pauses:
        """Pauses since the last call."""
        pauses = Pauses(self._number, self._longest_s, self.total_s - self._told_s)
        self._number, self._longest_s, self._told_s = 0, 0.0, self.total_s
        return pauses

    def _on_collection(self, phase: str, _info: dict[str, Any]) -> None:
        now = time.monotonic()
        if phase == "start":
            self._began = now
            return
        pause_s = now - self._began
        self._number += 1
        self.total_s += pause_s
        self._longest_s = max(self._longest_s, pause_s)
