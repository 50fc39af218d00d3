"""Command line: ``python -m reference_app.upkeep COMMAND``.

Results are one JSON line on stdout, problems go to stderr. Exit codes: 0 done, 2 bad arguments,
3 the data is not as it should be, 5 the database, a program or a disk failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from reference_app.upkeep import commands
from reference_app.upkeep.database import BATCH
from reference_app.upkeep.errors import UpkeepError, VerificationError
from reference_app.variant import parse_variant

URL_VARIABLE = "UPKEEP_DATABASE_URL"
LOG_VARIABLE = "UPKEEP_LOG_URL"
APP_VARIABLE = "APP_DATABASE_URL"
"""Variables, because every user of the machine can read a password on a command line."""

Add = Callable[..., object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except VerificationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    except (UpkeepError, OSError, psycopg.Error) as error:
        sys.stderr.write(f"error: {options.command} failed: {error}\n")
        return 5
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reference_app.upkeep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], Any], help_: str) -> Add:
        made = subparsers.add_parser(name, help=help_, description=help_)
        made.set_defaults(run=run)
        made.add_argument(
            "--now",
            type=_instant,
            default=datetime.now(UTC),
            help="the present, in ISO 8601 with its zone (default: the clock's)",
        )
        return made.add_argument

    add = command("archive", commands.run_archive, "move stays that ended over 3 years ago")
    _add_url(add)
    _add_batch(add)

    add = command("clean", commands.run_clean, "delete what was kept long enough, then vacuum")
    _add_url(add)
    _add_batch(add)

    add = command("partitions", commands.run_partitions, "make and drop months of logs")
    _add_url(add)

    add = command("vacuum", commands.run_vacuum, "VACUUM (ANALYZE) the tables upkeep empties")
    _add_url(add)

    add = command("backup", commands.run_backup, "dump the database into a storage")
    _add_url(add)
    _add_programs(add)
    add("--to", type=Path, required=True, metavar="DIR", help="storage: an existing directory")
    add(
        "--copy-to",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="another storage; may be given again",
    )

    add = command("list", commands.run_list, "the backups of a storage, oldest first")
    _add_storage(add)

    add = command("prune", commands.run_prune, "delete the backups that need not be kept")
    _add_storage(add)
    add("--dry-run", action="store_true", help="only say which")

    add = command("restore", commands.run_restore, "put a backup into a database and verify it")
    _add_choice(add)
    _add_url(add)
    _add_verification(add)
    _add_programs(add)
    add("--overwrite", action="store_true", help="replace what is in the database")

    add = command("verify", commands.run_verify, "count, sign in and book in a restored database")
    _add_choice(add)
    _add_url(add)
    _add_verification(add)

    add = command(
        "check", commands.run_check, "is a backup or a rehearsal overdue, is one damaged?"
    )
    _add_url(add)
    add("storage", type=Path, nargs="*", metavar="DIR", help="check the newest backup in it")
    return parser


def _add_url(add: Add) -> None:
    add(
        "--url",
        default=os.environ.get(URL_VARIABLE),
        required=URL_VARIABLE not in os.environ,
        help=f"connection of the owner of the tables (default: {URL_VARIABLE})",
    )


def _add_batch(add: Add) -> None:
    add("--batch", type=_count, default=BATCH, help=f"rows a transaction (default: {BATCH})")


def _add_programs(add: Add) -> None:
    add(
        "--bin-dir",
        type=Path,
        metavar="DIR",
        help="holds pg_dump, pg_restore and psql (default: the wheel's, then PATH)",
    )


def _add_storage(add: Add) -> None:
    add("storage", type=Path, metavar="DIR", help="storage: a directory of backups")


def _add_choice(add: Add) -> None:
    _add_storage(add)
    add("--backup", metavar="NAME", help="one that `list` shows (default: the newest)")


def _add_verification(add: Add) -> None:
    add(
        "--app-url",
        default=os.environ.get(APP_VARIABLE),
        required=APP_VARIABLE not in os.environ,
        help="the application's connection; its user and password are used on the database of"
        f" --url (default: {APP_VARIABLE})",
    )
    add(
        "--log-url",
        default=os.environ.get(LOG_VARIABLE),
        help="database whose backup log gets the result (default: that of --url)",
    )
    add(
        "--variant",
        type=parse_variant,
        metavar="JSON",
        help="migrate to this variant of the code's schema, for a backup older than the code",
    )


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} does not say its zone; add Z or +02:00")
    return moment.astimezone(UTC)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
