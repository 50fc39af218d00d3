"""Server programs that are one file: found in a wheel or on this machine, and made runnable."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from palier.errors import StackError
from palier.stack.workspace import Workspace, unprivileged_user

SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put servers; not on the PATH of an ordinary user of Debian."""

_PATIENCE_S = 10
"""For a program that only says its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server program.

    Attributes:
        path: Absolute.
        version: ``"1.18.0"``.
        origin: Where it comes from, for people.
    """

    path: Path
    version: str
    origin: str


def on_path(name: str, environ: Mapping[str, str]) -> Path | None:
    """The program of that name on PATH, or where packages put servers."""
    directories = (environ.get("PATH", os.defpath), *SBIN)
    found = shutil.which(name, path=os.pathsep.join(filter(None, directories)))
    return None if found is None else Path(found).absolute()


def find_program(
    title: str,
    candidates: Iterable[tuple[str, Path]],
    *,
    version_option: str = "--version",
    how_to_get: str,
) -> Program:
    """The first candidate that runs.

    Args:
        title: Name of the software, for people.
        candidates: Origin (for people) and path, best first.
        version_option: Makes it say its version and nothing else.
        how_to_get: What to do when there is none.

    Raises:
        StackError: None runs here.
    """
    broken = []
    for origin, path in candidates:
        version = _version(path, version_option)
        if version is not None:
            return Program(path=path, version=version, origin=origin)
        broken.append(str(path))
    why = f"{', '.join(broken)} does not run here" if broken else f"{title} is not on this machine"
    raise StackError(what=why, where=title, fix=how_to_get)


def runnable_here(
    program: Program, workspace: Workspace, *, version_option: str = "--version"
) -> Path:
    """A path at which the user that components give up root for may run the program.

    A checkout or a home directory is often closed to other users; then it is copied.
    """
    user = unprivileged_user()
    if user is None or may_run(program.path, user, version_option):
        return program.path
    copied = workspace.folder / program.path.name
    if not copied.exists():
        shutil.copyfile(program.path, copied)
        copied.chmod(0o755)
    return copied


def may_run(path: Path, user: tuple[int, int], version_option: str = "--version") -> bool:
    """Ask the system: run the program as that user."""
    uid, gid = user
    try:
        answer = subprocess.run(
            [path, version_option],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            user=uid,
            group=gid,
            extra_groups=[],
            cwd="/",
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _version(path: Path, version_option: str) -> str | None:
    """``"1.18.0"``, or None when the program is not there or does not run."""
    try:
        answer = subprocess.run(
            [path, version_option],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # Not there, not executable, or built for another machine.
        return None
    # nginx says it on stderr.
    found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
    return found.group() if found else None
