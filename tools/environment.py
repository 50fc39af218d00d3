"""Makes the project's environment in ``.venv`` from a lock file, once, and says what it does.

Run through ``tools/setup.sh``, which finds the interpreter. Standard library only: nothing is
installed yet when this starts.

An environment counts as finished when its stamp names the inputs it was made from: lock file,
the packaging part of ``pyproject.toml``, and the path of the checkout (console scripts carry it).
While one is being made, a mark lies in it; whoever finds the mark starts over, so an interrupted
set-up never passes for a whole one.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

Group = Literal["run", "dev"]
Installer = Literal["uv", "pip"]

GROUPS: Final[tuple[Group, ...]] = ("run", "dev")
"""Smallest first: the dev lock holds everything of the run lock at the same versions."""

STAMP: Final = ".palier-environment.json"
UNFINISHED: Final = ".palier-unfinished"
LAYOUT: Final = 1
"""Raise it when environments made by older versions of this file must be made again."""

EXIT_ENVIRONMENT: Final = 5
EXIT_INTERRUPTED: Final = 130


class SetupError(Exception):
    """A set-up that cannot go on: what, where, fix."""

    def __init__(self, *, what: str, where: str, fix: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  fix:   {fix}")


def say(text: str) -> None:
    """Progress goes to stderr: stdout belongs to results."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def lock_file(root: Path, group: Group) -> Path:
    return root / "requirements" / f"{group}.txt"


def fingerprint(root: Path, group: Group) -> str:
    """SHA-256 of everything the environment of ``group`` depends on.

    Of ``pyproject.toml`` only what an installer reads: a changed lint rule installs nothing.
    """
    pyproject: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packaging = {
        "project": pyproject.get("project"),
        "build-system": pyproject.get("build-system"),
        "hatch": pyproject.get("tool", {}).get("hatch"),
    }
    digest = hashlib.sha256()
    for part in (
        str(LAYOUT).encode(),
        str(root).encode(),
        json.dumps(packaging, sort_keys=True).encode(),
        lock_file(root, group).read_bytes(),
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def groups_of_stamp(root: Path, venv: Path) -> tuple[Group, ...]:
    """Groups that ``venv`` holds complete and unchanged; empty for anything doubtful."""
    if (venv / UNFINISHED).exists():
        return ()
    try:
        stamp = json.loads((venv / STAMP).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return ()
    if not isinstance(stamp, dict):
        return ()
    return tuple(group for group in GROUPS if stamp.get(group) == fingerprint(root, group))


def write_stamp(root: Path, venv: Path, group: Group) -> None:
    """Declare the environment finished for ``group`` and every smaller one."""
    held = GROUPS[: GROUPS.index(group) + 1]
    partial = venv / f"{STAMP}.partial"
    partial.write_text(
        json.dumps({name: fingerprint(root, name) for name in held}, indent=2) + "\n", "utf-8"
    )
    partial.replace(venv / STAMP)
    (venv / UNFINISHED).unlink()


def works(root: Path, venv: Path) -> bool:
    """True when the interpreter starts and finds our package in this checkout.

    Catches a base Python that was upgraded or removed, which no stamp can know.
    """
    try:
        answer = subprocess.run(
            [venv / "bin" / "python", "-I", "-c", "import palier; print(palier.__file__)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return answer.returncode == 0 and Path(answer.stdout.strip()).is_relative_to(root)


@contextlib.contextmanager
def only_one_setup() -> Iterator[None]:
    """Wait for another set-up of the same checkout; the kernel frees the lock of a dead one."""
    with Path(__file__).open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running, waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def installers() -> tuple[Installer, ...]:
    """What to install with, in order; the next one is tried when one fails.

    uv brings its own certificates and does not read pip's configuration, so behind a company's
    proxy or mirror pip may manage where uv cannot.
    """
    wanted = os.environ.get("PALIER_INSTALLER", "")
    if wanted not in ("", "pip", "uv"):
        raise SetupError(
            what=f"unknown installer {wanted!r}",
            where="environment variable PALIER_INSTALLER",
            fix="use pip or uv, or unset it",
        )
    if wanted == "uv" and not shutil.which("uv"):
        raise SetupError(
            what="uv is not on PATH",
            where="environment variable PALIER_INSTALLER",
            fix="install uv, or unset the variable to use pip",
        )
    if wanted:
        return ("uv",) if wanted == "uv" else ("pip",)
    return ("uv", "pip") if shutil.which("uv") else ("pip",)


def child_environment() -> dict[str, str]:
    """Our environment without the variables that would lead an installer elsewhere."""
    astray = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    # The system's certificates, as pip uses them; a choice of the user's own stands.
    preferred = {"UV_SYSTEM_CERTS": "true", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return preferred | kept | {"PIP_USER": "0"}


def call(command: Sequence[str | Path], *, root: Path, what: str, fix: str) -> None:
    """Run an installer; its output is the user's to see, on stderr like ours.

    Raises:
        SetupError: The command ended with another code than 0.
    """
    code = subprocess.run(
        command, cwd=root, env=child_environment(), stdout=sys.stderr, check=False
    ).returncode
    if code != 0:
        raise SetupError(
            what=f"{what} (exit code {code}, its own words are above)",
            where=" ".join(str(part) for part in command),
            fix=fix,
        )


def remove(venv: Path) -> None:
    """Remove the environment; of a link, only the link."""
    if venv.is_symlink() or venv.is_file():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)


def create(root: Path, venv: Path, installer: Installer) -> None:
    """An empty environment that carries the mark of an unfinished one from its first moment."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    base = Path(getattr(sys, "_base_executable", sys.executable))
    say(f"creating .venv with Python {version} ({base}) by {installer}")
    if installer == "pip" and importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            what="this Python has no venv module with pip",
            where=f"{base}, Python {version}",
            fix=f"Debian, Ubuntu: apt-get install python3.{sys.version_info.minor}-venv; "
            "or put uv on PATH; or name another Python: make setup PYTHON=/path/to/python3",
        )
    venv.mkdir()
    (venv / UNFINISHED).touch()
    by: dict[Installer, list[str | Path]] = {
        "uv": ["uv", "venv", "--quiet", "--allow-existing", "--python", base, venv],
        "pip": [base, "-m", "venv", venv],
    }
    call(
        by[installer],
        root=root,
        what="the empty environment could not be made",
        fix="check free space and permissions of the checkout, or try another Python: "
        "make setup PYTHON=/path/to/python3",
    )


def install(root: Path, venv: Path, group: Group, installer: Installer) -> None:
    """Install the locked packages by hash, then the project itself, editable.

    Wheels only, unless the user says otherwise: building from source runs build tools that no lock
    file names.
    """
    lock = lock_file(root, group)
    count = sum(not line.startswith((" ", "#", "\n")) for line in lock.open(encoding="utf-8"))
    say(f"installing up to {count} locked packages from requirements/{group}.txt by {installer}")
    python = venv / "bin" / "python"
    # A bar for people, silence for logs; errors are always shown.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    by: dict[Installer, tuple[list[str | Path], str, str]] = {
        "uv": (["uv", "pip", "install", "--python", python, *quiet], "--no-build", "UV_INDEX_URL"),
        "pip": (
            [python, "-I", "-m", "pip", "install", *quiet],
            "--only-binary=:all:",
            "PIP_INDEX_URL",
        ),
    }
    base, wheels_only, mirror = by[installer]
    sources: list[str | Path] = ["--require-hashes", "-r", lock]
    if os.environ.get("PALIER_SOURCE_BUILDS", "") != "1":
        sources.insert(0, wheels_only)
    call(
        [*base, *sources],
        root=root,
        what="the locked packages could not be installed",
        fix=f"network: try again; mirror: {mirror}, proxy: HTTPS_PROXY. No wheel for this Python "
        "here: make setup PYTHON=python3.13, or with a compiler make setup PALIER_SOURCE_BUILDS=1",
    )
    call(
        [*base, "--no-deps", "--no-build-isolation", "-e", root],
        root=root,
        what="the project itself could not be installed",
        fix="this is a bug of ours or a damaged checkout: please report the lines above",
    )


def prepare(root: Path, group: Group) -> None:
    """Bring ``.venv`` to the state ``group`` asks for; does nothing when it is there already."""
    venv = root / ".venv"
    if group in groups_of_stamp(root, venv) and works(root, venv):
        return
    with only_one_setup():
        if group in groups_of_stamp(root, venv) and works(root, venv):
            return  # made by the set-up we waited for
        began = time.monotonic()
        candidates = installers()
        for installer, following in itertools.zip_longest(candidates, candidates[1:]):
            try:
                build(root, venv, group, installer)
                break
            except SetupError as error:
                if following is None:
                    raise
                print(f"error: {error}", file=sys.stderr)
                say(f"trying again with {following}")
        write_stamp(root, venv, group)
        say(f"ready in {time.monotonic() - began:.0f} s")


def build(root: Path, venv: Path, group: Group, installer: Installer) -> None:
    """Create or complete the environment; it stays marked as unfinished."""
    reason = why_not_reusable(venv, installer)
    if reason:
        say(f"starting over: {reason}")
        remove(venv)
    if not venv.exists():
        create(root, venv, installer)
    (venv / UNFINISHED).touch()
    install(root, venv, group, installer)
    if not works(root, venv):
        raise SetupError(
            what="the installed package does not start",
            where=str(venv / "bin" / "python"),
            fix="rm -rf .venv, then make setup; if it stays, please report it",
        )


def why_not_reusable(venv: Path, installer: Installer) -> str | None:
    """Why an existing environment must go before anything is installed, or None."""
    if not venv.is_symlink() and not venv.exists():
        return None
    if (venv / UNFINISHED).exists():
        return "an earlier set-up did not finish"
    # The interpreter itself, not our package: a hand-made environment may lack that.
    probe = "import pip" if installer == "pip" else "import sys"
    try:
        code = subprocess.run(
            [
                venv / "bin" / "python",
                "-I",
                "-c",
                f"{probe}, sys; assert sys.version_info >= (3, 11)",
            ],
            capture_output=True,
            check=False,
        ).returncode
    except OSError:
        code = 127
    return None if code == 0 else "the Python or the pip of .venv does not start"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="make the environment in .venv")
    parser.add_argument("group", choices=GROUPS)
    group: Group = parser.parse_args(arguments).group
    try:
        prepare(Path(__file__).resolve().parent.parent, group)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ENVIRONMENT
    except KeyboardInterrupt:
        say("interrupted; the next set-up starts over")
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
