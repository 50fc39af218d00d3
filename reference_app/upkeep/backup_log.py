"""The log of backups: date, size, storage, tested, ok (B-167)."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from reference_app.upkeep.database import Connection


class Entry(msgspec.Struct, frozen=True):
    """One copy of one backup.

    Attributes:
        date: When it was made.
        size_bytes: Of the dump.
        storage: Where the copy lies.
        tested_at: When it was last restored and verified; None when never.
        ok: What that gave.
    """

    date: datetime
    size_bytes: int
    storage: str
    tested_at: datetime | None = None
    ok: bool | None = None


def record_copies(connection: Connection, entries: list[Entry]) -> None:
    """Write copies down; one that is known stays as it is, with the result of its rehearsal."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """/* record_backup */
            INSERT INTO backup_log (id, date, size_bytes, storage)
            VALUES (%s, %s, %s, %s) ON CONFLICT (storage, date) DO NOTHING""",
            [(uuid.uuid4(), e.date, e.size_bytes, e.storage) for e in entries],
        )


def record_test(connection: Connection, entry: Entry) -> None:
    """Write down what restoring a copy gave, also where the copy itself is not known.

    The log of a database that was restored ends before the backup it was restored from.
    """
    connection.execute(
        """/* record_test */
        INSERT INTO backup_log AS log (id, date, size_bytes, storage, tested, ok, tested_at)
        VALUES (%s, %s, %s, %s, true, %s, %s)
        ON CONFLICT (storage, date) DO UPDATE
        SET tested = true, ok = excluded.ok, tested_at = excluded.tested_at""",
        [uuid.uuid4(), entry.date, entry.size_bytes, entry.storage, entry.ok, entry.tested_at],
    )


def read_log(connection: Connection) -> list[Entry]:
    """Every copy that was ever made, newest first."""
    rows = connection.execute(
        """/* read_backup_log */
        SELECT date, size_bytes, storage, tested_at, ok FROM backup_log
        ORDER BY date DESC, storage"""
    )
    return [Entry(*row) for row in rows]
