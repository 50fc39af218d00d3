"""How far a load is; who shows it is not the seed's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Rows written so far.

    Attributes:
        rows_done: Rows the database has acknowledged.
        rows_total: Rows of the dataset.
        elapsed_s: Since the load began.
    """

    rows_done: int
    rows_total: int
    elapsed_s: float

    @property
    def rows_per_s(self) -> float | None:
        """Mean rate so far; None before the first row."""
        if not self.rows_done or self.elapsed_s <= 0:
            return None
        return self.rows_done / self.elapsed_s

    @property
    def left_s(self) -> float | None:
        """Time left at the rate so far, in seconds; None while there is no rate."""
        rate = self.rows_per_s
        return None if rate is None else (self.rows_total - self.rows_done) / rate


OnProgress = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Shows nothing."""
