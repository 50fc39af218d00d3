"""Everything Palier raises on purpose: what happened, where, and how to fix it.

    PalierError                 base, never raised itself
     +-- ConfigError        2   bad arguments or a bad tiers.yaml
     +-- StackError         5   a component did not start, stay up or stop
     +-- SeedError          5   the data could not be written or verified
     +-- LoadError          5   the load generator could not run
     +-- DiskError          5   the disk is full, or files there cannot be written
     +-- RunFilesError      2   a run directory is missing, damaged or of another schema

Anything else that escapes is a bug of ours and keeps its traceback (exit code 1).
"""

from __future__ import annotations

import enum
from typing import ClassVar


class ExitCode(enum.IntEnum):
    """Exit codes of the command line; a contract (README, "Exit codes")."""

    PASS = 0
    BUG = 1
    USAGE = 2
    GATE_FAILED = 3
    UNDECIDED = 4
    ENVIRONMENT = 5
    INTERRUPTED = 130


class PalierError(Exception):
    """An expected failure, told in three parts.

    Attributes:
        what: What happened, with the offending value.
        where: File with line and column, component, tier or option.
        fix: What the reader can do about it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.ENVIRONMENT

    def __init__(self, *, what: str, where: str, fix: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  fix:   {fix}")
        self.what = what
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """Errors of worker processes reach their parent whole: an exception with keyword-only
        arguments cannot be unpickled from ``args`` alone."""
        return _rebuild, (type(self), self.what, self.where, self.fix)


def _rebuild(kind: type[PalierError], what: str, where: str, fix: str) -> PalierError:
    return kind(what=what, where=where, fix=fix)


class ConfigError(PalierError):
    exit_code = ExitCode.USAGE


class RunFilesError(PalierError):
    exit_code = ExitCode.USAGE


class StackError(PalierError):
    exit_code = ExitCode.ENVIRONMENT


class SeedError(PalierError):
    exit_code = ExitCode.ENVIRONMENT


class LoadError(PalierError):
    exit_code = ExitCode.ENVIRONMENT


class DiskError(PalierError):
    exit_code = ExitCode.ENVIRONMENT
