"""A directory for a new run; never one that holds anything."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

from palier.errors import ConfigError

RUNS = Path("runs")


def new_run_dir(out: Path | None, *, tier: str, profile: str) -> Path:
    """Make the directory of a run.

    Args:
        out: What the user named; None for ``runs/<UTC time>-<tier>-<profile>``.
        tier: Id of the tier.
        profile: Id of the profile.

    Raises:
        ConfigError: It is a file, holds files, or cannot be made.
    """
    try:
        if out is None:
            return _unused(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{tier}-{profile}")
        out.mkdir(parents=True, exist_ok=True)
        if not any(out.iterdir()):
            return out
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(
            what="not a directory", where=f"--out {out}", fix="name a new directory"
        ) from None
    except OSError as error:
        raise ConfigError(
            what=f"cannot make the directory of the run: {error.strerror}",
            where=str(out or RUNS),
            fix="name a directory that can be written with --out",
        ) from error
    raise ConfigError(
        what="the directory of a new run holds files already",
        where=f"--out {out}",
        fix="name an empty or a new directory",
    )


def _unused(name: str) -> Path:
    """Make ``runs/name``, with a number behind it when another run began in the same second."""
    for attempt in itertools.count(1):
        candidate = RUNS / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:
            if not RUNS.is_dir():
                raise
            continue
        return candidate
    raise AssertionError("unreachable")
