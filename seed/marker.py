"""The marker: one row in the database that says which dataset it holds, and whether all of it.

Written before the first row and completed after the last check, so an interrupted load is told
from a finished one, and a finished one from a database with rows of somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from seed.spec import GENERATOR_VERSION, DatasetSpec

_CREATE = """
CREATE TABLE IF NOT EXISTS palier_dataset (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    tier              text NOT NULL,
    seed              text NOT NULL,
    anchor            date NOT NULL,
    generator_version integer NOT NULL,
    checksum          text,
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at      timestamptz
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The dataset a database holds; without checksum and end until it is whole."""

    tier: str
    seed: str
    anchor: date
    generator_version: int
    checksum: str | None
    started_at: datetime
    completed_at: datetime | None


def read_marker(connection: psycopg.Connection) -> Marker | None:
    """The marker, or None for a database that no dataset was ever loaded into."""
    found = connection.execute("SELECT to_regclass('palier_dataset') IS NOT NULL").fetchone()
    if found is None or not found[0]:
        return None
    with connection.cursor(row_factory=class_row(Marker)) as cursor:
        return cursor.execute(
            "SELECT tier, seed, anchor, generator_version, checksum,"
            " started_at, completed_at FROM palier_dataset"
        ).fetchone()


def write_started(connection: psycopg.Connection, spec: DatasetSpec) -> None:
    """Say that this dataset is being loaded.

    Raises:
        psycopg.errors.UniqueViolation: Somebody else said so first.
    """
    connection.execute(_CREATE)
    connection.execute(
        "INSERT INTO palier_dataset (tier, seed, anchor, generator_version)"
        " VALUES (%s, %s, %s, %s)",
        [spec.tier, str(spec.seed), spec.anchor, GENERATOR_VERSION],
    )


def write_completed(connection: psycopg.Connection, checksum: str) -> None:
    """Say that the dataset is whole and was verified."""
    connection.execute(
        "UPDATE palier_dataset SET checksum = %s, completed_at = clock_timestamp()", [checksum]
    )
