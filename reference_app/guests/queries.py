"""The guest's side: what a token opens. One statement each, run as ``app_guest``.

Row security or not, every statement asks for the token itself: one that is unknown, has ended or
was withdrawn gives no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from reference_app.guests.values import (
    Feedback,
    GuestActivity,
    GuestInstructions,
    GuestSheet,
    HourRequest,
    HourWish,
    Opinion,
    Scope,
    Stay,
)
from reference_app.information.columns import COLUMNS, TEXTS, Column, Language, Layout
from reference_app.information.queries import by_name
from reference_app.information.statements import as_text, columns_named, expression, joins
from reference_app.information.values import (
    NAMES,
    Contact,
    Equipment,
    Wifi,
    read_contacts,
    read_core,
    read_equipment,
    read_texts,
    read_wifi,
)
from reference_app.session import GuestSession

ROWS_MAX = 200
"""Activities and requests on one sheet; nobody reads further."""

_OPEN: LiteralString = "t.token = %(token)s AND t.expires_at > now() AND t.revoked_at IS NULL"

_HOURS = ("heure_arrivee", "heure_depart")


async def open_sheet(session: GuestSession) -> GuestSheet | None:
    """The stay and its gîte; None for a token that opens nothing."""
    before = (
        "scope",
        "expires_at",
        *("reservation_id", "date_debut", "date_fin", "client_nom", "voyageurs"),
    )
    columns = _columns(session.variant.units_table, (*NAMES["core"], *_HOURS))
    row = await session.first(_sheet(session.variant.units_table), {}, by_name(columns, *before))
    if row is None:
        return None
    stay = Stay(*(row[name] for name in Stay.__struct_fields__))
    return GuestSheet(
        row["scope"],
        row["expires_at"],
        stay,
        heure_arrivee=row["heure_arrivee"],
        heure_depart=row["heure_depart"],
        core=read_core(row),
    )


async def read_wifi_of_sheet(session: GuestSession) -> Wifi | None:
    """How to get into the network."""
    row = await _section(session, "guest_wifi", NAMES["wifi"])
    return None if row is None else read_wifi(row)


async def read_instructions_of_sheet(
    session: GuestSession, language: Language
) -> GuestInstructions | None:
    """How to arrive, stay and leave."""
    arrival = (*_HOURS, "code_acces", "emplacement_cles")
    texts = tuple(f"{text}_{language}" for text in TEXTS)
    row = await _section(session, "guest_instructions", (*arrival, *texts))
    if row is None:
        return None
    return GuestInstructions(
        language,
        **{name: row[name] for name in arrival},
        consignes=read_texts(row, language),
    )


async def read_equipment_of_sheet(session: GuestSession) -> Equipment | None:
    """What is in the house."""
    row = await _section(session, "guest_equipment", NAMES["equipment"])
    return None if row is None else read_equipment(row)


async def read_contacts_of_sheet(session: GuestSession) -> list[Contact] | None:
    """Whom to call."""
    row = await _section(session, "guest_contacts", NAMES["contacts"])
    return None if row is None else read_contacts(row)


async def list_activities_of_sheet(session: GuestSession) -> list[GuestActivity] | None:
    """What to do nearby, nearest first; None for a token that opens nothing."""
    rows = await session.rows(
        f"""/* guest_activities */
        SELECT a.id, a.nom, a.categorie, a.description, a.adresse, a.distance_m
        FROM client_access_tokens t
        LEFT JOIN activites_gites a ON a.gite_id = t.gite_id
        WHERE {_OPEN}
        ORDER BY a.distance_m, a.id LIMIT {ROWS_MAX}""",
        {},
        lambda *columns: None if columns[0] is None else GuestActivity(*columns),
    )
    return [row for row in rows if row is not None] if rows else None


async def list_hour_requests_of_sheet(session: GuestSession) -> list[HourRequest] | None:
    """The stay's requests, newest first; None for a token that opens nothing."""
    rows = await session.rows(
        f"""/* guest_hour_requests */
        SELECT h.id, h.reservation_id, h.gite_id, h.heure_arrivee, h.heure_depart, h.message,
               h.status, h.created_at, h.decided_at
        FROM client_access_tokens t
        LEFT JOIN hour_requests h ON h.reservation_id = t.reservation_id
        WHERE {_OPEN}
        ORDER BY h.created_at DESC, h.id DESC LIMIT {ROWS_MAX}""",
        {},
        lambda *columns: None if columns[0] is None else HourRequest(*columns),
    )
    return [row for row in rows if row is not None] if rows else None


async def ask_for_hours(
    session: GuestSession, request_id: UUID, wish: HourWish
) -> HourRequest | None:
    """Ask the owner for other hours, and tell the owner; None when the token does not allow it."""
    return await session.first(
        f"""/* ask_for_hours */
        WITH sheet AS (
            SELECT t.reservation_id, t.gite_id, t.owner_user_id FROM client_access_tokens t
            WHERE {_OPEN} AND t.scope = 'stay'
        ), asked AS (
            INSERT INTO hour_requests (id, reservation_id, gite_id, owner_user_id, heure_arrivee,
                                       heure_depart, message, status)
            SELECT %(id)s, s.reservation_id, s.gite_id, s.owner_user_id, %(heure_arrivee)s::time,
                   %(heure_depart)s::time, %(message)s, 'pending'
            FROM sheet s
            RETURNING id, reservation_id, gite_id, heure_arrivee, heure_depart, message, status,
                      created_at, decided_at
        ), told AS (
            INSERT INTO notifications (id, user_id, kind, title, body)
            SELECT gen_random_uuid(), s.owner_user_id, 'hour_request', 'A guest asks for hours',
                   concat_ws(', ', 'arrival ' || to_char(a.heure_arrivee, 'HH24:MI'),
                             'departure ' || to_char(a.heure_depart, 'HH24:MI'))
            FROM sheet s, asked a
        )
        SELECT * FROM asked""",
        {"id": request_id, **msgspec.structs.asdict(wish)},
        HourRequest,
    )


async def leave_feedback(
    session: GuestSession, feedback_id: UUID, opinion: Opinion
) -> Feedback | None:
    """Say how the stay was, and tell the owner; None when it was said, or is not allowed."""
    return await session.first(
        f"""/* leave_feedback */
        WITH sheet AS (
            SELECT t.reservation_id, t.gite_id, t.owner_user_id FROM client_access_tokens t
            WHERE {_OPEN} AND t.scope = 'stay'
        ), said AS (
            INSERT INTO guest_feedback (id, reservation_id, gite_id, owner_user_id, note,
                                        commentaire)
            SELECT %(id)s, s.reservation_id, s.gite_id, s.owner_user_id, %(note)s, %(commentaire)s
            FROM sheet s
            ON CONFLICT (reservation_id) DO NOTHING
            RETURNING id, reservation_id, gite_id, note, commentaire, created_at
        ), told AS (
            INSERT INTO notifications (id, user_id, kind, title, body)
            SELECT gen_random_uuid(), s.owner_user_id, 'feedback', 'A guest left feedback',
                   f.note || ' of 5'
            FROM sheet s, said f
        )
        SELECT * FROM said""",
        {"id": feedback_id, "note": opinion.note, "commentaire": opinion.commentaire},
        Feedback,
    )


async def scope_of_sheet(session: GuestSession) -> Scope | None:
    """What the token allows; None for one that opens nothing. Asked only after a refusal."""
    return await session.first(
        f"""/* guest_scope */
        SELECT t.scope FROM client_access_tokens t WHERE {_OPEN}""",
        {},
        lambda scope: scope,
    )


async def _section(
    session: GuestSession, operation: LiteralString, names: tuple[str, ...]
) -> Mapping[str, Any] | None:
    layout = session.variant.units_table
    columns = _columns(layout, names)
    return await session.first(_read(layout, operation, columns), {}, by_name(columns))


def _columns(layout: Layout, names: tuple[str, ...]) -> tuple[Column, ...]:
    # Of the wide table the whole row: see information.queries.columns_to_read.
    return COLUMNS if layout == "wide" else columns_named(names)


@cache
def _read(layout: Layout, operation: LiteralString, columns: tuple[Column, ...]) -> LiteralString:
    statement = SQL(
        """/* {} */
        SELECT {} FROM client_access_tokens t{}
        WHERE {}"""
    ).format(
        SQL(operation),
        SQL(", ").join(expression(layout, column) for column in columns),
        joins(layout, SQL("t.gite_id"), columns),
        SQL(_OPEN),
    )
    return as_text(statement)


@cache
def _sheet(layout: Layout) -> LiteralString:
    columns = _columns(layout, (*NAMES["core"], *_HOURS))
    statement = SQL(
        """/* guest_sheet */
        SELECT t.scope, t.expires_at, r.id, r.date_debut, r.date_fin, r.client_nom, r.voyageurs, {}
        FROM client_access_tokens t JOIN reservations r ON r.id = t.reservation_id{}
        WHERE {}"""
    ).format(
        SQL(", ").join(expression(layout, column) for column in columns),
        joins(layout, SQL("t.gite_id"), columns),
        SQL(_OPEN),
    )
    return as_text(statement)
