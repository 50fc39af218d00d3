"""Connections of the seed: settings that make rows read as they were written; errors told well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from palier.errors import SeedError

_SETTINGS = """
    SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_encoding = 'UTF8';
    SET statement_timeout = 0
"""
CONNECT_TIMEOUT_S = 10


@contextmanager
def connect(admin_url: str, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    """A connection that commits at the end, or rolls back after an error.

    Raises:
        SeedError: In place of any ``psycopg.Error`` inside.
    """
    where = "database of the seed"
    try:
        with psycopg.connect(
            admin_url,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="palier-seed",
            autocommit=autocommit,
        ) as connection:
            where = place(connection)
            connection.execute(_SETTINGS)
            yield connection
    except psycopg.OperationalError as error:
        raise SeedError(
            what=f"the database cannot be reached or broke off: {_first_line(error)}",
            where=where,
            fix="is the server running? `palier doctor` says what is there",
        ) from error
    except psycopg.Error as error:
        raise SeedError(
            what=f"the database refused: {_first_line(error)}",
            where=where,
            fix="the tables must be those of this version's reference application, "
            "and the role their owner",
        ) from error


def place(connection: psycopg.Connection) -> str:
    """Which database this is, for messages; never with a password."""
    info = connection.info
    return f"database {info.dbname} at {info.host}:{info.port}"


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
