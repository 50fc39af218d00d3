"""Command line: ``python -m reference_app.upkeep COMMAND``.

Results are one JSON line on stdout, problems go to stderr. Exit codes: 0 done, 2 bad arguments,
3 the data is not as it should be, 5 the database, a program or a disk failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg

from reference_app.upkeep.archive import archive
from reference_app.upkeep.clean import clean
from reference_app.upkeep.database import BATCH, connect
from reference_app.upkeep.errors import UpkeepError, VerificationError
from reference_app.upkeep.vacuum import vacuum

URL_VARIABLE = "UPKEEP_DATABASE_URL"
"""A password on a command line can be read by every user of the machine."""


def _archive(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        done = archive(connection, options.now, options.batch)
    if done.again:
        _report(done)
        raise VerificationError(
            f"archived and written anew: {', '.join(map(str, done.again))}",
            fix="compare the rows in reservations and reservations_archive, delete the wrong one",
        )
    return done


def _clean(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        deleted = clean(connection, options.now, options.batch)
        return {"deleted": deleted, "vacuumed": vacuum(connection)}


def _vacuum(options: argparse.Namespace) -> Any:
    with connect(options.url) as connection:
        return {"vacuumed": vacuum(connection)}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _report(options.run(options))
    except VerificationError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    except (UpkeepError, OSError, psycopg.Error) as error:
        sys.stderr.write(f"error: {options.command} failed: {error}\n")
        return 5
    return 0


def _report(result: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reference_app.upkeep", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("archive", help="move stays that ended over 3 years ago")
    _add_database(command)
    _add_batch(command)
    command.set_defaults(run=_archive)

    command = commands.add_parser("clean", help="delete what was kept long enough, then vacuum")
    _add_database(command)
    _add_batch(command)
    command.set_defaults(run=_clean)

    command = commands.add_parser("vacuum", help="VACUUM (ANALYZE) the tables upkeep empties")
    _add_database(command)
    command.set_defaults(run=_vacuum)
    return parser


def _add_database(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--url",
        default=os.environ.get(URL_VARIABLE),
        required=URL_VARIABLE not in os.environ,
        help=f"connection of the owner of the tables (default: {URL_VARIABLE})",
    )
    command.add_argument(
        "--now", type=_instant, default=datetime.now(UTC), help="ISO 8601 with zone (default: now)"
    )


def _add_batch(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--batch", type=_count, default=BATCH, help=f"rows a transaction (default: {BATCH})"
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
