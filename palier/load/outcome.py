"""How a planned request can end. One vocabulary for loaders, files and analysis."""

from __future__ import annotations

from typing import Literal, get_args

Outcome = Literal["succeeded", "failed", "timed_out", "abandoned"]
"""abandoned: still in flight when the drain ended; known only to have lasted at least so long."""

SkipReason = Literal[
    "no_free_session",
    "session_aborted",
    "end_of_run",
    "interrupted",
    "aborted",
    "user_busy",
    "worker_lost",
]
"""Why a planned request was never sent (docs/architecture.md, "The ledger").

interrupted: somebody stopped the run; aborted: an abort rule of the plan did.
user_busy is what a closed load leaves out: its user was still waiting for answers. worker_lost is
what a lost loader should have sent after its last report: nobody knows whether it was sent."""

Clock = Literal["response", "service", "lag", "generator_lag"]
"""generator_lag is the part of lag in which a session was free: the load generator's own fault
(measurement rule 9). The rest of lag is waiting for a session, which the system causes."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
SKIP_REASONS: tuple[SkipReason, ...] = get_args(SkipReason)
CLOCKS: tuple[Clock, ...] = get_args(Clock)
