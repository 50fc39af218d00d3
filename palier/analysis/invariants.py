"""Invariants: what must hold in the data after a run, whatever the load was; ``invariants.json``.

They are looked for in the database by ``palier.invariants``; here they are values, which the
verdict is read from (docs/decisions/0054-invariants-are-gates.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable

INVARIANTS_SCHEMA: Final = 1

InvariantState = Literal["held", "violated", "not_checked", "not_applicable"]
"""not_checked: it should have been and could not; not_applicable: the run gives nothing to check,
such as the rows of a service that is not ours, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One statement about the data, and whether it holds.

    Attributes:
        id: Its name, e.g. ``"no-overlapping-stays"``.
        holds_when: What must hold, as a sentence.
        how: How it was checked.
        state: The answer.
        checked: Number of things looked at.
        violations: How many of them break it.
        examples: Some of those, for whoever looks for the cause.
        why: Why there is no answer; empty when there is one.
    """

    id: str
    holds_when: str
    how: str
    state: InvariantState
    checked: int = 0
    violations: int = 0
    examples: tuple[str, ...] = ()
    why: str = ""

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.state in ("not_checked", "not_applicable"):
            return self.why
        if self.state == "violated":
            return f"{self.violations:,} of {self.checked:,} break it: {self.examples[0]}"
        return f"holds for all {self.checked:,}" if self.checked else "there was nothing to check"


def unknown_invariants(why: str) -> tuple[Invariant, ...]:
    """Stands for all of them where none could be looked for."""
    return (
        Invariant(
            id="all",
            holds_when="The data is right after the load",
            how="not checked",
            state="not_checked",
            why=why,
        ),
    )


def not_ours(why: str) -> tuple[Invariant, ...]:
    """Stands for all of them where there is nothing that we may look into."""
    return (
        Invariant(
            id="all",
            holds_when="The data is right after the load",
            how="not checked",
            state="not_applicable",
            why=why,
        ),
    )


def invariants_as_json(invariants: tuple[Invariant, ...]) -> dict[str, Jsonable]:
    """The document of ``invariants.json``."""
    return {"schema": INVARIANTS_SCHEMA, "invariants": [to_jsonable(one) for one in invariants]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    invariants: tuple[Invariant, ...]


def invariants_from_json(document: object, *, where: str) -> tuple[Invariant, ...]:
    """The invariants of ``invariants.json``.

    Raises:
        RunFilesError: Not such a document.
    """
    return from_jsonable(_Document, document, where=where).invariants
