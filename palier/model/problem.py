"""One thing that is wrong in a file, with its place, and the error that tells all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from palier.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, both counted from 1, as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, with the value, and what to write instead."""

    place: Place
    what: str
    fix: str

    def text(self, path: str) -> str:
        """``tiers.yaml:12:5: what — fix``, a form editors can jump to."""
        return f"{path}:{self.place.line}:{self.place.column}: {self.what} — {self.fix}"


def error_of(path: str, problems: Iterable[Problem]) -> ConfigError:
    """One error for all problems of a file, in the order of its lines."""
    ordered = sorted(set(problems))
    if len(ordered) == 1:
        [only] = ordered
        where = f"{path}:{only.place.line}:{only.place.column}"
        return ConfigError(what=only.what, where=where, fix=only.fix)
    lines = "".join(f"\n  {problem.text(path)}" for problem in ordered)
    return ConfigError(
        what=f"{len(ordered)} problems in {path}:{lines}",
        where=path,
        fix="correct the lines above; nothing was started",
    )
