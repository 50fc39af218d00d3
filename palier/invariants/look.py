"""All invariants, in one snapshot of the database, in bounded time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from palier.analysis.facts import Fact
from palier.analysis.invariants import Invariant, unknown_invariants
from palier.invariants.baseline import Baseline
from palier.invariants.bookings import BOOKING_CHECKS
from palier.invariants.deliveries import DELIVERY_CHECKS
from palier.invariants.expected import put_expected
from palier.invariants.groups import GROUP_CHECKS, group_facts
from palier.invariants.guests import GUEST_CHECKS
from palier.invariants.history import expectations
from palier.invariants.kinds import KINDS
from palier.invariants.learners import LEARNER_CHECKS
from palier.invariants.listeners import LISTENER_CHECKS
from palier.invariants.looking import Check, Scene
from palier.invariants.owners import OWNER_CHECKS
from palier.invariants.patience import connect, cut_after
from palier.invariants.tasks import TASK_CHECKS, task_facts
from palier.invariants.writes import WRITE_CHECKS
from palier.load.writes import Write, read_writes
from palier.model.plan import RunPlan

STATEMENT_LIMIT_S: Final = 60
"""Sorting the stays of the largest tier takes a third of it."""

CHECK_LIMIT_S: Final = 180
"""For all statements of one check, on our clock: a server that stands still has none."""

CHECKS: Final[tuple[Check, ...]] = (
    *WRITE_CHECKS,
    *BOOKING_CHECKS,
    *TASK_CHECKS,
    *OWNER_CHECKS,
    *GUEST_CHECKS,
    *LISTENER_CHECKS,
    *LEARNER_CHECKS,
    *GROUP_CHECKS,
    *DELIVERY_CHECKS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the data told.

    Attributes:
        invariants: Every one, with its answer.
        facts: Numbers that targets judge.
    """

    invariants: tuple[Invariant, ...]
    facts: tuple[Fact, ...] = ()


def look(
    admin_url: str,
    plan: RunPlan,
    *,
    baseline: Baseline,
    load: Path,
    receivers: str | None = None,
) -> Looked:
    """Compare the database with what the loaders wrote, and with itself.

    Workers may go on meanwhile: everything is read in one snapshot, in which a task, its bookings
    and its log are of one moment.

    Args:
        admin_url: Connection of the owner of the database.
        plan: What was done.
        baseline: The database before the load.
        load: Folder of the loaders' lines.
        receivers: Address of those who receive webhooks.

    Raises:
        RunFilesError: The log of writes is damaged.
    """
    log = read_writes(load, workers=plan.workers)
    known = [write for write in log.writes if write.kind in KINDS]
    scene = Scene(
        baseline=baseline,
        unknown=log.unknown,
        strange=tuple(sorted({write.kind for write in log.writes} - KINDS.keys())),
        row_security=plan.variant.row_security,
        sync=plan.variant.sync,
        load=load,
        receivers=receivers,
    )
    try:
        with connect(admin_url) as connection:
            return Looked(
                invariants=tuple(_answers(connection, known, scene)),
                facts=(
                    *task_facts(connection, baseline),
                    *group_facts(connection, baseline, duration_s=plan.duration_s),
                ),
            )
    except psycopg.OperationalError as error:
        why = f"the database could not be asked: {str(error).strip()}"
        return Looked(invariants=unknown_invariants(why))


def _answers(
    connection: psycopg.Connection, writes: Sequence[Write], scene: Scene
) -> Iterable[Invariant]:
    with cut_after(connection, CHECK_LIMIT_S):
        connection.execute(f"SET statement_timeout = '{STATEMENT_LIMIT_S}s'")
        # A sort in memory is several times one on disk; nothing else runs any more.
        connection.execute("SET work_mem = '128MB'")
        put_expected(connection, expectations(writes))
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for check in CHECKS:
            with cut_after(connection, CHECK_LIMIT_S):
                answer = check.answer(connection, scene)
            yield answer
