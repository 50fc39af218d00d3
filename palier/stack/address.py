"""Database addresses: taking them apart, putting them together, showing them without password."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from palier.errors import StackError


def make_url(
    *,
    host: str,
    port: str,
    dbname: str,
    user: str,
    password: str | None,
    options: dict[str, str] | None = None,
) -> str:
    """A ``postgresql://`` URL; every part is quoted."""
    query = dict(options or {})
    authority = quote(user, safe="")
    if password is not None:
        authority += ":" + quote(password, safe="")
    if "/" in host or "," in host:
        # A socket directory or several hosts do not fit between @ and /.
        query.update(host=host, port=port)
        address = ""
    else:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    url = f"postgresql://{authority}@{address}/{quote(dbname, safe='')}"
    return f"{url}?{urlencode(query)}" if query else url


def with_login(
    url: str,
    *,
    dbname: str | None = None,
    user: str | None = None,
    password: str | None = None,
) -> str:
    """The same server under another database or role; a new role never keeps the old password.

    Raises:
        StackError: ``url`` is no database address.
    """
    parts = parts_of(url)
    old_user = parts.pop("user", "postgres")
    old_password = parts.pop("password", None)
    old_dbname = parts.pop("dbname", old_user)
    host = parts.pop("host", "127.0.0.1")
    port = parts.pop("port", "5432")
    return make_url(
        host=host,
        port=port,
        dbname=old_dbname if dbname is None else dbname,
        user=old_user if user is None else user,
        password=old_password if user is None else password,
        options=parts,
    )


def with_address(url: str, *, host: str, port: str) -> str:
    """The same database, role and password at another server."""
    parts = parts_of(url) | {"host": host, "port": port}
    user = parts.pop("user", "postgres")
    return make_url(
        host=parts.pop("host"),
        port=parts.pop("port"),
        dbname=parts.pop("dbname", user),
        user=user,
        password=parts.pop("password", None),
        options=parts,
    )


def parts_of(url: str) -> dict[str, str]:
    """Connection parameters of a URL or a ``key=value`` string.

    Raises:
        StackError: It is neither.
    """
    try:
        found = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise StackError(
            what=f"not a database address: {str(error).strip()}",
            where="PALIER_DATABASE_URL",
            fix="write postgresql://user:password@host:5432/database",
        ) from error
    return {key: str(value) for key, value in found.items() if value is not None}


def shown(url: str) -> str:
    """The address without its password, for messages."""
    parts = parts_of(url)
    user = parts.get("user", "")
    host = parts.get("host", "127.0.0.1")
    return f"{user}@{host}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"


def without_password(url: str) -> str:
    """The same address; whoever uses it must bring the password (``PGPASSWORD``)."""
    return with_login(url, user=parts_of(url).get("user", "postgres"))
