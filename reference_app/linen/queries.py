"""Linen in stock (B-87): how many of an article a gîte has, and how many of them are clean."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from reference_app.session import Session


class Linen(msgspec.Struct, frozen=True):
    """One article of one gîte; ``propres`` of the ``total`` pieces are clean."""

    gite_id: UUID
    article: str
    total: int
    propres: int
    updated_at: datetime


class Put(NamedTuple):
    """What :func:`put_linen` did."""

    linen: Linen
    is_new: bool


async def list_linen(session: Session, gite_id: UUID | None) -> list[Linen]:
    """Linen of one gîte or, with None, of all of them; a gîte has a handful of articles."""
    return await session.rows(
        """/* list_linen */
        SELECT gite_id, article, total, propres, updated_at FROM linen_stocks
        WHERE owner_user_id = %(owner)s
          AND (%(gite_id)s::uuid IS NULL OR gite_id = %(gite_id)s)
        ORDER BY gite_id, article""",
        {"owner": session.user_id, "gite_id": gite_id},
        Linen,
    )


async def put_linen(
    session: Session, gite_id: UUID, article: str, *, total: int, propres: int
) -> Put | None:
    """Set the stock of an article; None when the gîte is not this owner's.

    Two who set it at once do not meet an error: the later one's figures stay.
    """
    return await session.first(
        """/* put_linen */
        INSERT INTO linen_stocks AS l (id, gite_id, owner_user_id, article, total, propres)
        SELECT gen_random_uuid(), g.id, g.owner_user_id, %(article)s, %(total)s, %(propres)s
        FROM gites g WHERE g.id = %(gite_id)s AND g.owner_user_id = %(owner)s
        ON CONFLICT (gite_id, article) DO UPDATE SET
            total = excluded.total, propres = excluded.propres, updated_at = now()
        -- a row that nobody has locked or replaced is the one that was just made
        RETURNING l.gite_id, l.article, l.total, l.propres, l.updated_at, l.xmax = 0""",
        {
            "gite_id": gite_id,
            "article": article,
            "total": total,
            "propres": propres,
            "owner": session.user_id,
        },
        lambda *columns: Put(Linen(*columns[:-1]), columns[-1]),
    )


async def delete_linen(session: Session, gite_id: UUID, article: str) -> UUID | None:
    """Remove an article from a gîte's stock; None when it is not there for this owner."""
    return await session.first(
        """/* delete_linen */
        DELETE FROM linen_stocks
        WHERE gite_id = %(gite_id)s AND article = %(article)s AND owner_user_id = %(owner)s
        RETURNING id""",
        {"gite_id": gite_id, "article": article, "owner": session.user_id},
        lambda deleted: deleted,
    )
