"""The sequential decision about one probe: pass, fail, go on, undecided, or too few requests.

The evidence is looked at a few times, at 16, 32, 64 ... seconds, and the probability of a wrong
decision that a probe may have is spent over its looks in proportion to the time that passed: half
of it at the last look, a quarter at the one before. Far from the capacity the first look decides;
close to it the last one has nearly the power of a single test. Boole's inequality over the looks
makes the bound hold whatever their joint distribution is.

How misses cluster shows only when there are some: a short probe of a system that is late in rare
long bursts may see none of them. So a look before the firm one passes a rate only if every gate
uses a quarter of what it allows at most, and the pass that becomes the answer has to be firm.

Where hardly anything is missed, and even the longest probe without another miss could not show that
every gate holds, the rate brings too few requests: it is left for a higher one at once. So is one
that could not pass by the firm look, while nothing has failed and the search goes up in haste.

A rate passes when every gate surely holds: passing wrongly takes a wrong limit of the very gate
that is missed, so each may use the whole error. It fails when some gate is surely missed: any of
them could be wrong, so they share it.

Source: Lan and DeMets (1983), Biometrika 70(3), 659-663 (spending the error over looks).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from palier.capacity.evidence import Gate, Stretch, counts_of
from palier.capacity.rules import Rules
from palier.capacity.share import (
    find_dependence,
    lower_limit,
    lowest_upper_limit,
    upper_limit,
)

FAR: Final = 0.25
"""Part of what is allowed up to which a rate is far from the capacity."""

Outcome = Literal["pass", "fail", "go_on", "undecided", "too_few"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateShare:
    """One gate of a probe: the share that missed it, and how sure that is at this look.

    Attributes:
        missed: Requests that missed it.
        effective: Independent requests the probe is worth; 0 when that cannot be told.
        low: One-sided limit from below, at the error this look may spend on failing.
        high: One-sided limit from above, at the error it may spend on passing.
    """

    gate: Gate
    share: float
    missed: int
    effective: float
    low: float
    high: float

    @property
    def strain(self) -> float:
        """How much of what is allowed was used; 1 at the capacity."""
        return self.share / self.gate.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is known of one probe."""

    outcome: Outcome
    shares: tuple[GateShare, ...]

    @property
    def binding(self) -> GateShare:
        """The gate that is strained most."""
        return max(self.shares, key=lambda one: one.strain)

    @property
    def least_known(self) -> GateShare:
        """The gate that is farthest from being known to hold."""
        return max(self.shares, key=lambda one: one.high / one.gate.allowed)

    @property
    def telling(self) -> GateShare:
        """The gate that decided it, or the one because of which it is open."""
        if self.outcome == "fail":
            return max(self.shares, key=lambda one: one.low / one.gate.allowed)
        return self.binding if self.outcome == "pass" else self.least_known


def seconds_of(stretches: Sequence[Stretch]) -> int:
    return sum(stretch.seconds for stretch in stretches)


@functools.lru_cache(maxsize=2**14)
def decide(
    rules: Rules, stretches: tuple[Stretch, ...], *, firm: bool = False, hasty: bool = False
) -> Decision:
    """The decision at the last look that the evidence has reached.

    With ``firm`` there is none before the firm look. With ``hasty`` a rate brings too few requests
    also when it cannot be shown to pass by then.

    Every step of a search asks for those of all its probes again, so they are kept.
    """
    seconds = seconds_of(stretches)
    look = max((k for k in range(rules.looks) if seconds >= rules.look_at_s(k)), default=None)
    error = rules.error_of_a_probe * _spent(rules, look or 0)
    shares = tuple(_share(rules, stretches, gate, error) for gate in rules.gates)
    early = seconds < rules.firm_s
    outcome: Outcome = "go_on"
    if look is None or (firm and early):
        pass
    elif any(one.low > one.gate.allowed for one in shares):
        outcome = "fail"
    elif all(one.high <= one.gate.allowed and (one.strain <= FAR or not early) for one in shares):
        outcome = "pass"
    elif _brings_too_few(rules, stretches, shares, look=rules.looks - 1) or (
        hasty and _brings_too_few(rules, stretches, shares, look=rules.firm_look)
    ):
        outcome = "too_few"
    elif look == rules.looks - 1:
        outcome = "undecided"
    return Decision(outcome=outcome, shares=shares)


def surely_missed(gates: Sequence[Gate], stretch: Stretch, *, error: float) -> tuple[Gate, ...]:
    """Gates that a system at rest misses although it passed at this rate before.

    Args:
        stretch: A short one, as a proof of health is.
        error: Probability that a gate which holds is named. Where misses cluster so much that
            nothing is known of their chance, a share above what is allowed is enough: one burst
            is what a backlog that stayed looks like.
    """
    missed = []
    for gate in gates:
        counts = counts_of((stretch,), gate)
        dependence = find_dependence(counts)
        lowest = counts.share if dependence is None else lower_limit(counts, dependence, error)
        if lowest > gate.allowed:
            missed.append(gate)
    return tuple(missed)


def _brings_too_few(
    rules: Rules, stretches: Sequence[Stretch], shares: Sequence[GateShare], *, look: int
) -> bool:
    """Whether the rate is far from missing a gate, and yet could not be shown to hold them all by
    a look, even if no further request missed one and all came independently."""
    seconds = seconds_of(stretches)
    look = min(look, rules.looks - 1)
    if any(one.strain > FAR for one in shares) or seconds > rules.look_at_s(look):
        return False
    longer = rules.look_at_s(look) / seconds
    error = rules.error_of_a_probe * _spent(rules, look)
    return any(
        lowest_upper_limit(
            int(longer * counts_of(stretches, one.gate).planned.sum()), one.missed, error
        )
        > one.gate.allowed
        for one in shares
    )


def _spent(rules: Rules, look: int) -> float:
    """Part of a probe's error that this look may spend; over all looks they add up to 1."""
    before = rules.look_at_s(look - 1) if look else 0
    return (rules.look_at_s(look) - before) / rules.longest_probe_s


def _share(rules: Rules, stretches: Sequence[Stretch], gate: Gate, error: float) -> GateShare:
    counts = counts_of(stretches, gate)
    dependence = find_dependence(counts)
    return GateShare(
        gate=gate,
        share=counts.share,
        missed=int(counts.missed.sum()),
        effective=int(counts.planned.sum()) / dependence.design_effect if dependence else 0.0,
        low=lower_limit(counts, dependence, error / len(rules.gates)) if dependence else 0.0,
        high=upper_limit(counts, dependence, error) if dependence else 1.0,
    )
