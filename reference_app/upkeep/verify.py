"""Is a restored database whole and usable (B-168)?

Count its rows, sign in, book a stay: the first against the backup's own description, the others
with the application itself, in this process, as the unprivileged login it runs with. An account of
our own is used, made for this and removed again: nobody's password is needed, and no stranger's
calendar is touched.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

import httpx
import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from reference_app.app import create_app
from reference_app.identity.passwords import SALT_BYTES, hash_password
from reference_app.migrate import migrate
from reference_app.settings import Settings
from reference_app.upkeep.backup import count_rows
from reference_app.upkeep.database import Connection, connect
from reference_app.upkeep.errors import UpkeepError
from reference_app.upkeep.manifest import Manifest
from reference_app.variant import Variant

DOMAIN = "restore-check.invalid"
"""Addresses of our accounts; RFC 2606 promises that nobody else has one here."""

PASSWORD_LOG2_N = 14

OWN_LOG = "backup_log"
"""Not compared: that this backup was made, and what restoring it gave, is written after it."""

ROUNDS = 10
"""More than the longest chain of tables that refer to each other."""

_STEPS_TIMEOUT_S = 60.0


class Verified(msgspec.Struct, frozen=True):
    """What verification found.

    Attributes:
        users: Accounts in the database.
        reservations: Stays in it.
        tables: Tables whose rows were counted.
        problems: What is wrong; empty when the database is whole and usable.
    """

    users: int
    reservations: int
    tables: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Account:
    """Our own account."""

    email: str
    password: str = field(repr=False)


def verify(
    url: str, app_url: str, manifest: Manifest, now: datetime, variant: Variant | None = None
) -> Verified:
    """Compare a restored database with its backup, and use it.

    Args:
        url: Connection of the owner of the tables.
        app_url: The application's connection; only its user and password are taken, so that what
            is tested is the database of ``url`` and never the one the application works on now.
        manifest: What the backup says of itself.
        now: A year later our stay is booked.
        variant: Migrate to this code's schema in between, for a backup that is older than the
            code; None leaves the schema as it was restored.

    Raises:
        psycopg.Error: The database cannot be asked at all.
    """
    with connect(url) as connection:
        _remove_accounts(connection)
        counted = count_rows(connection)
        problems = _compare(manifest.rows, counted)
        if variant is not None:
            migrate(url, "before-data", variant)
            migrate(url, "after-data", variant)
        account = _make_account(connection)
        try:
            problems += asyncio.run(_use(_as_application(url, app_url), account, now.date()))
        finally:
            _remove_accounts(connection)
    return Verified(
        counted.get("users", 0), counted.get("reservations", 0), len(counted), tuple(problems)
    )


def _compare(expected: dict[str, int], counted: dict[str, int]) -> list[str]:
    return [
        f"{table}: {'no such table' if table not in counted else f'{counted[table]} rows'},"
        f" the backup has {rows}"
        for table, rows in expected.items()
        if table != OWN_LOG and counted.get(table) != rows
    ]


def _as_application(url: str, app_url: str) -> str:
    login = conninfo_to_dict(app_url)
    return make_conninfo(url, user=login.get("user"), password=login.get("password"))


async def _use(url: str, account: Account, today: date) -> list[str]:
    """Sign in and book as a visitor would; gives what did not work, at most one thing."""
    app = create_app(
        Settings(
            database_url=url,
            pool_size=1,
            jwt_secret=secrets.token_urlsafe(48),
            password_log2_n=PASSWORD_LOG2_N,
            # Says who asks, which every variant of the policies understands.
            variant=Variant(row_security="wrapped"),
        )
    )
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("Any", app)),
            base_url="http://restored",
            timeout=_STEPS_TIMEOUT_S,
        ) as client,
    ):
        try:
            await _book(client, account, today)
        except _RefusedError as refused:
            return [str(refused)]
    return []


async def _book(client: httpx.AsyncClient, account: Account, today: date) -> None:
    signed_in = await _step(
        client,
        HTTPStatus.OK,
        "POST",
        "/api/auth",
        json={"email": account.email, "password": account.password},
    )
    client.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
    unit = await _step(
        client,
        HTTPStatus.CREATED,
        "POST",
        "/api/units",
        json={"nom": "Restore check", "ville": "Dole", "code_postal": "39100", "capacite": 2},
    )
    arrival = today + timedelta(days=365)
    stay = {
        "gite_id": unit["id"],
        "date_debut": arrival.isoformat(),
        "date_fin": (arrival + timedelta(days=2)).isoformat(),
        "client_nom": "Restore check",
    }
    booked = await _step(client, HTTPStatus.CREATED, "POST", "/api/reservations", json=stay)
    found = await _step(client, HTTPStatus.OK, "GET", f"/api/reservations/{booked['id']}")
    if found != booked:
        raise _RefusedError(f"a new reservation reads {found}, and was booked as {booked}")
    await _step(client, HTTPStatus.CONFLICT, "POST", "/api/reservations", json=stay)
    await _step(client, HTTPStatus.NO_CONTENT, "DELETE", f"/api/reservations/{booked['id']}")


class _RefusedError(Exception):
    """The application did not do what it should."""


async def _step(
    client: httpx.AsyncClient, expected: HTTPStatus, method: str, path: str, **options: Any
) -> Any:
    answer = await client.request(method, path, **options)
    if answer.status_code != expected:
        raise _RefusedError(
            f"{method} {path} answered {answer.status_code} instead of {expected}: {answer.text}"
        )
    return answer.json() if answer.content else None


def _make_account(connection: Connection) -> Account:
    account = Account(f"{uuid.uuid4()}@{DOMAIN}", secrets.token_urlsafe(24))
    hashed = hash_password(account.password, secrets.token_bytes(SALT_BYTES), PASSWORD_LOG2_N)
    connection.execute(
        """/* make_check_account */
        INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, %s, 'owner')""",
        [uuid.uuid4(), account.email, hashed],
    )
    return account


def _remove_accounts(connection: Connection) -> None:
    """Remove our accounts and all that is theirs, also those that a killed check left.

    What is theirs is found in the catalogue, so that tables to come are cleaned as well. Tables
    refer to each other in an order we do not know, and triggers write where we have been already:
    we go round until nothing is left.
    """
    accounts = [
        id_
        for (id_,) in connection.execute(
            "/* list_check_accounts */ SELECT id FROM users WHERE email LIKE %s", [f"%@{DOMAIN}"]
        )
    ]
    if not accounts:
        return
    owned = connection.execute(
        """/* list_owned_columns */
        SELECT c.relname, a.attname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition AND NOT a.attisdropped
          AND (a.attname IN ('owner_user_id', 'user_id', 'owner')
               OR (c.relname, a.attname) = ('users', 'id'))
        ORDER BY c.relname"""
    ).fetchall()
    for _ in range(ROUNDS):
        removed = [_remove(connection, accounts, table, column) for table, column in owned]
        if not any(removed):
            break
    if any(count != 0 for count in removed):
        raise UpkeepError(
            "the check's own account cannot be removed: something refers to it",
            fix=f"delete by hand what belongs to users whose address ends with {DOMAIN}",
        )
    # What the triggers wrote of the account: a backup without the trail is older than it.
    if connection.execute("SELECT to_regclass('public.audit_trail')").fetchone() != (None,):
        connection.execute(
            """/* remove_check_trail */
            DELETE FROM audit_trail WHERE table_name = 'users' AND row_id = ANY(%s)""",
            [[str(id_) for id_ in accounts]],
        )


def _remove(
    connection: Connection, accounts: list[uuid.UUID], table: str, column: str
) -> int | None:
    """Rows removed; None when other rows refer to them still."""
    try:
        return connection.execute(
            SQL("/* remove_check_account */ DELETE FROM {} WHERE {} = ANY(%s)").format(
                Identifier("public", table), Identifier(column)
            ),
            [accounts],
        ).rowcount
    except psycopg.errors.ForeignKeyViolation:
        return None
