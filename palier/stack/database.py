"""Databases and login roles of one stack on a server, and their removal."""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from palier.errors import StackError
from palier.stack.address import with_login
from palier.stack.identity import ProcessId, this_process
from palier.stack.postgres import Server

NAME_PREFIX = "palier_"

APP_ROLE = "app_user"
GUEST_ROLE = "app_guest"
WORKER_ROLE = "app_worker"
"""The unprivileged role that the application's schema grants its rights to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of one stack.

    Attributes:
        server: Where it is.
        name: ``palier_<token>``.
        admin_url: Connection of its owner.
    """

    server: Server
    name: str
    admin_url: str = field(repr=False)

    def app_url(self, role: str, password: str) -> str:
        """Connection of another role."""
        return with_login(self.admin_url, user=role, password=password)


def database_name(token: str) -> str:
    """Name of the database of the stack ``token``."""
    return NAME_PREFIX + token


def create_database(server: Server, token: str, *, detached: bool = False) -> Database:
    """A fresh empty database, marked with its owner so that a later start can tell it is stale.

    The mark is a comment on the database: it needs no password kept on our side, and it lives
    exactly as long as what it describes.

    Raises:
        StackError: The server refused.
    """
    name = database_name(token)
    owner = None if detached else this_process()
    mark = json.dumps(
        {
            "palier": 1,
            "host": socket.gethostname(),
            "owner": None if owner is None else {"pid": owner.pid, "birth": owner.birth},
        }
    )
    # Byte order with case mapping for every letter, the same on every machine (from 17 on).
    locale = (
        sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'")
        if server.version_number >= 170_000
        else sql.SQL("LC_COLLATE 'C'")
    )
    try:
        with psycopg.connect(server.maintenance_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' {}").format(
                    sql.Identifier(name), locale
                )
            )
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(name), sql.Literal(mark)
                )
            )
    except psycopg.Error as error:
        raise StackError(
            what=f"cannot create database {name}: {str(error).strip()}",
            where=f"PostgreSQL, {server.origin}",
            fix="give the role the right to create databases, or use the embedded server",
        ) from error
    return Database(server=server, name=name, admin_url=server.url(name))


def create_app_login(database: Database) -> str:
    """A role of this stack alone that acts as ``app_user``, and for a guest as ``app_guest``.

    Roles belong to the whole server: if two stacks shared the login, each would change the
    other's password. So every stack logs in under its own name, a member of the schema's roles.

    Returns:
        Its connection URL.

    Raises:
        StackError: The schema made no such role.
    """
    return _create_login(database, "app", acts_as=APP_ROLE, may_become=(GUEST_ROLE,))


def create_worker_login(database: Database) -> str:
    """Likewise a role that acts as ``app_worker``; see :func:`create_app_login`."""
    return _create_login(database, "worker", acts_as=WORKER_ROLE)


def _create_login(
    database: Database, purpose: str, *, acts_as: str, may_become: tuple[str, ...] = ()
) -> str:
    role = sql.Identifier(f"{database.name}_{purpose}")
    password = secrets.token_urlsafe(24)
    try:
        with psycopg.connect(database.admin_url) as connection:
            # NOINHERIT: a policy for app_guest would else hold for every user as well. The
            # session begins as acts_as, and a transaction can become one of the others.
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {} IN ROLE {}").format(
                    role,
                    sql.Literal(password),
                    sql.SQL(", ").join(map(sql.Identifier, (acts_as, *may_become))),
                )
            )
            connection.execute(
                sql.SQL("ALTER ROLE {} SET role TO {}").format(role, sql.Identifier(acts_as))
            )
    except psycopg.Error as error:
        raise StackError(
            what=f"cannot create the application's login: {str(error).strip()}",
            where=f"PostgreSQL, {database.server.origin}",
            fix=f"the schema must create the roles {', '.join((acts_as, *may_become))}",
        ) from error
    return database.app_url(f"{database.name}_{purpose}", password)


def drop_database(server: Server, name: str) -> None:
    """Remove a stack's database and logins, ending their connections; a no-op when gone."""
    with psycopg.connect(server.maintenance_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        for purpose in ("app", "worker"):
            connection.execute(
                sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{purpose}"))
            )


def drop_stale_databases(server: Server) -> tuple[str, ...]:
    """Remove databases whose owner, a process of this machine, was killed; returns their names."""
    with psycopg.connect(server.maintenance_url) as connection:
        rows = connection.execute(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE starts_with(datname, %s)",
            (NAME_PREFIX,),
        ).fetchall()
    stale = tuple(name for name, mark in rows if _is_stale(mark))
    for name in stale:
        drop_database(server, name)
    return stale


def _is_stale(mark: str | None) -> bool:
    """True for a mark of ours whose owner is known to have ended."""
    try:
        content = json.loads(mark or "null")
    except json.JSONDecodeError:
        return False
    if not isinstance(content, dict) or content.get("palier") != 1:
        return False
    owner = content["owner"]
    if owner is None or content["host"] != socket.gethostname():
        return False
    return not ProcessId(pid=owner["pid"], birth=owner["birth"]).alive()
