"""Put a backup into a database (B-168): whole or not at all."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from reference_app.migrate import SCHEMA
from reference_app.upkeep.database import LOCK_TIMEOUT_S, Connection, connect
from reference_app.upkeep.errors import UpkeepError
from reference_app.upkeep.manifest import DUMP, Manifest, check_files
from reference_app.upkeep.programs import Programs, address
from reference_app.upkeep.storage import Backup

ROLES = SCHEMA / "001_roles.sql"

# The public schema as a new database has it.
_CLEAR = f"""SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s';
SET LOCAL client_min_messages = warning;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


def restore(url: str, backup: Backup, programs: Programs, *, overwrite: bool = False) -> Manifest:
    """Restore a backup in one transaction: until its commit, readers see what was there before.

    Grants and row security are part of the dump; the roles they name are made if the server lacks
    them. Logins and their passwords belong to the server and are not part of a backup.

    Args:
        url: Connection of the owner-to-be of the tables.
        overwrite: Replace what is in the database; without it, it must be empty.

    Returns:
        What the backup says of itself.

    Raises:
        VerificationError: The backup is damaged; the database is as it was.
        UpkeepError: The database is not empty or restoring failed; likewise.
        psycopg.Error: The server refused.
    """
    manifest = check_files(backup.path)
    with connect(url) as connection:
        if not overwrite:
            _require_empty(connection)
        connection.execute(ROLES.read_bytes())
    _replay(url, backup.path / DUMP, programs, prelude=_CLEAR if overwrite else "")
    with connect(url) as connection:
        # Statistics of the planner are not restored on every version.
        connection.execute("/* restore_analyze */ ANALYZE")
    return manifest


def _require_empty(connection: Connection) -> None:
    [(present,)] = connection.execute(
        """/* count_relations */
        SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname <> 'information_schema'
          AND NOT starts_with(n.nspname, 'pg_')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"""
    ).fetchall()
    if present:
        raise UpkeepError(
            f"database {connection.info.dbname} is not empty: {present} tables and views",
            fix="restore into a new database, or replace this one with --overwrite",
        )


def _replay(url: str, dump: Path, programs: Programs, *, prelude: str) -> None:
    """Stream the dump as SQL into one transaction.

    ``psql --single-transaction`` would commit when its input ends, also when ``pg_restore`` died in
    the middle of the work. So the COMMIT is ours to say, after the last word of a pg_restore that
    ended well; if we are killed, nobody says it.
    """
    where = address(url)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [
                programs.path("psql"),
                "--no-psqlrc",
                "--quiet",
                "--no-password",
                "--set=ON_ERROR_STOP=1",
                f"--dbname={where.conninfo}",
            ],
            env={**os.environ, **where.environment},
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as psql,
    ):
        try:
            done = _feed(
                psql, [programs.path("pg_restore"), "--no-owner", "--file=-"], dump, prelude, said
            )
        except BrokenPipeError:
            done = False  # psql stopped at an error, and has said which
        finally:
            psql.kill()  # does nothing to one that has ended
        if not done:
            said.seek(0)
            raise UpkeepError(
                f"restoring {dump} failed: {said.read().decode(errors='replace').strip()}",
                fix="the database is as it was; the programs' own words say what they need",
            )


def _feed(
    psql: subprocess.Popen[bytes], reader: list[str], dump: Path, prelude: str, said: IO[bytes]
) -> bool:
    """Give psql the transaction to run; True when it has committed it."""
    assert psql.stdin is not None
    psql.stdin.write(f"BEGIN;\n{prelude}".encode())
    reading = subprocess.run(
        [*reader, str(dump)],
        stdin=subprocess.DEVNULL,
        stdout=psql.stdin,
        stderr=said,
        check=False,
    )
    if reading.returncode != 0:
        return False
    psql.stdin.write(b"COMMIT;\n")
    psql.stdin.close()
    return psql.wait() == 0
