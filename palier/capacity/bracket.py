"""The rates between which the capacity lies, as far as decided probes say.

All rates up to the capacity pass and all above it fail; with the stated probability no decision
was wrong, and then no rate fails below one that passes. Where that is seen nevertheless, something
is not as assumed: a decision was wrong, or the system changed, or it holds more when it is asked
faster. The failing rate is then probed once more. If it passes now, its two probes contradict each
other and neither counts. Otherwise the capacity ends below it, whatever passed above. In the same
way a rate that passed counts no more when a second, longer probe does not pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from palier.capacity.decision import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The bracket.

    Attributes:
        low: Highest rate that passed below all that fail.
        high: Lowest rate that failed.
        doubtful: A rate that failed below one that passed, and was probed only once.
        violations: Rates that passed above ``high``.
    """

    low: float | None
    high: float | None
    doubtful: float | None = None
    violations: tuple[float, ...] = ()


def find_bracket(probes: Sequence[tuple[float, Outcome]]) -> Bracket:
    """The bracket of (rate, outcome) pairs.

    Probes that go on or brought too few requests say nothing. An undecided one says that a rate
    which passed before is not sure.
    """
    outcomes: dict[float, list[Outcome]] = defaultdict(list)
    for rate, outcome in probes:
        if outcome not in ("go_on", "too_few"):
            outcomes[rate].append(outcome)
    passed = sorted(rate for rate, seen in outcomes.items() if set(seen) == {"pass"})
    failed = sorted(
        rate for rate, seen in outcomes.items() if "fail" in seen and "pass" not in seen
    )
    if not failed:
        return Bracket(low=passed[-1] if passed else None, high=None)
    high = failed[0]
    below = [rate for rate in passed if rate < high]
    above = tuple(rate for rate in passed if rate > high)
    return Bracket(
        low=below[-1] if below else None,
        high=high,
        doubtful=high if above and len(outcomes[high]) == 1 else None,
        violations=above,
    )
