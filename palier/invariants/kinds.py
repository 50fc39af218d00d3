"""Kinds of things that scenarios write, and where the reference application keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, LiteralString


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind.

    Attributes:
        name: As scenarios call it.
        source: Table or view that has every row of it, archived ones too.
        identity: Columns with their types that tell one creation from any other: a row that was
            written twice shows here, and one whose id no answer gave is found by them.
        counted: Rows that only scenarios create; those of a calendar feed come by themselves.
    """

    name: str
    source: LiteralString
    identity: tuple[tuple[LiteralString, LiteralString], ...]
    counted: LiteralString = "true"


_ALL: Final = (
    Kind(
        name="reservation",
        source="reservations_all",
        identity=(("gite_id", "uuid"), ("date_debut", "date")),
        counted="ical_uid IS NULL",
    ),
    Kind(
        name="sheet",
        source="client_access_tokens",
        identity=(("reservation_id", "uuid"),),
    ),
    Kind(
        name="hour_request",
        source="hour_requests",
        identity=(("message", "text"),),
    ),
    Kind(
        name="feedback",
        source="guest_feedback",
        identity=(("commentaire", "text"),),
    ),
    Kind(
        name="trip",
        source="km_trajets",
        identity=(("motif", "text"),),
    ),
    Kind(
        name="ticket",
        source="cm_support_tickets",
        identity=(("sujet", "text"),),
    ),
    Kind(
        name="school",
        source="schools",
        identity=(("name", "text"),),
    ),
    # Of FrançaisFluide; the scenario gives the ids.
    Kind(name="learning_session", source="learning_sessions", identity=(("id", "uuid"),)),
    Kind(name="correction", source="corrections", identity=(("id", "uuid"),)),
    Kind(name="exercise_answer", source="exercise_answers", identity=(("id", "uuid"),)),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _ALL}
