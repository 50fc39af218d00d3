"""A search told probe by probe: what reports and `answer.json` show of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from palier.analysis.findings import Estimate
from palier.capacity.answer import Answer
from palier.capacity.bracket import find_bracket
from palier.capacity.decision import Decision, GateShare, Outcome, seconds_of
from palier.capacity.log import SearchLog
from palier.capacity.rules import Rules
from palier.capacity.targets import LeftOut, SearchTarget
from palier.model.jsonvalue import Jsonable, to_jsonable

ANSWER_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTold:
    """One probe.

    Attributes:
        number: Counted from 1.
        rate_per_s: Requests a second that were offered.
        outcome: ``go_on`` for one that was cut off.
        firm: Whether it confirmed a rate that had passed early.
        hasty: Whether nothing had failed before it, and it was not to take long.
        seconds: Evidence.
        planned: Requests in it.
        shares: Each gate.
        low: Highest rate that is known to pass after it.
        high: Lowest rate that is known to fail after it.
        unfit: Why stretches of it were no evidence.
        sick: Why the system was not well afterwards.
        unproved: Why proofs of health were no evidence.
        runs: Names of the runs that measured it.
        responses: The percentile of each gate that has a limit, by its id; in seconds.
    """

    number: int
    rate_per_s: float
    outcome: Outcome
    firm: bool
    seconds: int
    planned: int
    shares: tuple[GateShare, ...]
    low: float | None
    high: float | None
    hasty: bool = False
    unfit: tuple[str, ...] = ()
    sick: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    responses: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def telling(self) -> GateShare | None:
        """The gate that decided it, or because of which it is open; None without evidence."""
        return Decision(outcome=self.outcome, shares=self.shares).telling if self.seconds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStory:
    """A whole search.

    Attributes:
        name: Of its directory.
        rules: What it was to do.
        answer: What it found.
        targets: Its gates.
        left_out: Gates of the tier that it could not decide.
        probes: In the order they were made.
    """

    name: str
    rules: Rules
    answer: Answer
    targets: tuple[SearchTarget, ...]
    left_out: tuple[LeftOut, ...]
    probes: tuple[ProbeTold, ...]

    @property
    def binding(self) -> SearchTarget | None:
        """The gate that fails first."""
        return next((one for one in self.targets if one.gate.id == self.answer.binding), None)


def tell_probes(
    log: SearchLog, responses: Mapping[int, Mapping[str, Estimate]]
) -> tuple[ProbeTold, ...]:
    """The probes of a log.

    Args:
        log: Of the search.
        responses: Percentiles by number of the probe and id of the gate; those that are known.
    """
    decisions = log.decisions()
    told: list[ProbeTold] = []
    known: list[tuple[float, Outcome]] = []
    for number, (probe, decision) in enumerate(zip(log.probes, decisions, strict=True), start=1):
        known.append((probe.rate_per_s, decision.outcome))
        bracket = find_bracket(known)
        first = log.rules.gates[0].id
        told.append(
            ProbeTold(
                number=number,
                rate_per_s=probe.rate_per_s,
                outcome=decision.outcome,
                firm=probe.firm,
                hasty=probe.hasty,
                seconds=seconds_of(probe.stretches),
                planned=sum(sum(one.tallies[first].planned) for one in probe.stretches),
                shares=decision.shares,
                low=bracket.low,
                high=bracket.high,
                unfit=probe.unfit,
                sick=probe.sick,
                unproved=probe.unproved,
                runs=tuple(one.run for one in probe.stretches),
                responses=responses.get(number, {}),
            )
        )
    return tuple(told)


def story_as_json(story: SearchStory) -> dict[str, Jsonable]:
    """The document of ``answer.json``."""
    return {
        "schema": ANSWER_SCHEMA,
        "search": story.name,
        "unit": "requests/s",
        **_object(story.answer),
        "width": story.answer.width,
        "width_wanted": story.rules.width,
        "gates": [
            {
                "id": one.gate.id,
                "allowed": one.gate.allowed,
                "operation": one.operation,
                "limit_s": one.limit_s,
            }
            for one in story.targets
        ],
        "left_out": [_object(one) for one in story.left_out],
        "each": [_probe(one) for one in story.probes],
    }


def _probe(probe: ProbeTold) -> dict[str, Jsonable]:
    fields = _object(probe)
    fields["gates"] = [
        {
            "id": one.gate.id,
            "missed": one.missed,
            "share": one.share,
            "low": one.low,
            "high": one.high,
        }
        for one in probe.shares
    ]
    del fields["shares"]
    return fields


def _object(value: object) -> dict[str, Jsonable]:
    fields = to_jsonable(value)
    assert isinstance(fields, dict)  # a dataclass always becomes an object
    return fields
