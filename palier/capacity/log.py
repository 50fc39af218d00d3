"""What a search has done so far: values that a JSON document holds without loss."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from palier.capacity.decision import Decision, decide, seconds_of
from palier.capacity.evidence import Stretch
from palier.capacity.rules import Rules
from palier.errors import RunFilesError
from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable

SEARCH_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One rate that was tried, and what was done after it.

    Attributes:
        rate_per_s: Sessions or requests that arrive in a second, as the driver counts.
        firm: Whether it confirms a rate that passed early, and takes its time for it.
        hasty: Whether no rate had failed before it, so that one far from all gates is left for
            a higher one where it would take long to decide.
        stretches: Evidence, in order.
        unfit: Why stretches were no evidence (the generator was late, a worker was lost).
        drained: Whether the backlog drained afterwards; None before that is known.
        left: What was left where it did not.
        healthy: Whether the system then proved healthy; None before that is known.
        sick: Why proofs of health failed.
        unproved: Why proofs of health were none (the generator was late, a worker was lost).
    """

    rate_per_s: float
    firm: bool = False
    hasty: bool = False
    stretches: tuple[Stretch, ...] = ()
    unfit: tuple[str, ...] = ()
    drained: bool | None = None
    left: str = ""
    healthy: bool | None = None
    sick: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLog:
    """A search: its rules and its probes, the last of which may be going on."""

    rules: Rules
    probes: tuple[Probe, ...] = ()

    @property
    def loaded_s(self) -> float:
        """Seconds under load so far, warm-ups included."""
        return sum(
            seconds_of(probe.stretches) + self.rules.warmup_s * len(probe.stretches)
            for probe in self.probes
        )

    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self.decision(probe) for probe in self.probes)

    def decision(self, probe: Probe) -> Decision:
        return decide(self.rules, probe.stretches, firm=probe.firm, hasty=probe.hasty)

    def with_last(self, probe: Probe) -> SearchLog:
        return dataclasses.replace(self, probes=(*self.probes[:-1], probe))

    def resumed(self) -> SearchLog:
        """The finished probes, to go on with a system that was started anew.

        A probe that was going on is dropped: its next stretch would be another system's. The
        backlog and the health of the new one have to be shown before the next probe.
        """
        finished = tuple(probe for probe in self.probes if self.decision(probe).outcome != "go_on")
        if not finished:
            return dataclasses.replace(self, probes=())
        last = dataclasses.replace(
            finished[-1], drained=None, left="", healthy=None, sick=(), unproved=()
        )
        return dataclasses.replace(self, probes=(*finished[:-1], last))


def log_as_json(log: SearchLog) -> dict[str, Jsonable]:
    """The document of a search."""
    fields = to_jsonable(log)
    assert isinstance(fields, dict)  # a dataclass always becomes an object
    return {"schema": SEARCH_SCHEMA, **fields}


def log_from_json(document: object, *, where: str = "search.json") -> SearchLog:
    """The search of a document made by :func:`log_as_json`.

    Raises:
        RunFilesError: Not such a document, or of another schema.
    """
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SEARCH_SCHEMA:
        raise RunFilesError(
            what=f"schema {found!r} is not {SEARCH_SCHEMA}",
            where=where,
            fix="the search was written by another version of Palier; begin it again",
        )
    return from_jsonable(SearchLog, document, where=where)
