"""What may be kept, and for how long (B-147, B-148)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

import msgspec


class Family(msgspec.Struct, frozen=True):
    """Answers of one kind.

    Attributes:
        name: First part of their keys, and the label of their metrics.
        lifetime_s: How long an answer is kept at most; a write ends it at once.
    """

    name: str
    lifetime_s: int

    def key(self, owner: UUID, *what: object, filters: Mapping[str, object] | None = None) -> str:
        """``reservations:<owner>:page:2``, then the filters that are set, by their names.

        Args:
            owner: Whose answer it is.
            what: Tells it from the owner's other answers of the family.
            filters: Narrow it; None does not.
        """
        chosen = [
            (name, str(value))
            for name, value in sorted((filters or {}).items())
            if value is not None
        ]
        parts = [self.name, str(owner), *map(str, what)]
        if chosen:
            parts.append(urlencode(chosen))
        return ":".join(parts)


RESERVATIONS = Family("reservations", 300)
STATISTICS = Family("stats", 3600)
TAX = Family("fiscalite", 3600)
UNITS = Family("gites", 1800)
DASHBOARD = Family("dashboard", 3600)
"""Not in the source's list, so its default lifetime."""
