"""A pass over all groups, in chunks.

A chunk is one transaction for all of its groups' steps, taken under the locks of their rows and
decided anew there: of two processes the second finds nothing to do, and one that is killed leaves a
chunk that is done or one that is not. Money is asked for before, outside of any transaction; asked
again, the same charge gives the same answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from reference_app.automation.charging import Charge
from reference_app.automation.rules import (
    Charged,
    Step,
    Subscription,
    must_be_charged,
    next_step,
)
from reference_app.automation.store import Connection, Counts, Run

logger = logging.getLogger("reference_app.automation")

Answers = dict[tuple[UUID, int], Charged]
"""What asking for the money came to, by subscription and the period that is to be paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Makes passes.

    Attributes:
        charge: Asks for the money.
        worker: Name of this process, for the log.
        grace_days: From the end of a period to the last day of grace.
        chunk: Groups in one go.
        is_over: Whether a pass is to end early, at its next chunk.
    """

    charge: Charge
    worker: str
    grace_days: int
    chunk: int
    is_over: Callable[[], bool] = lambda: False

    async def make(self, connection: Connection, now: datetime) -> datetime | None:
        """Do for every group all that is due by ``now``.

        Returns:
            When something that did not work is to be tried again.

        Raises:
            psycopg.OperationalError: The database cannot be reached; make the pass again.
        """
        run = Run(now=now, worker=self.worker)
        await run.begin(connection)
        after: UUID | None = None
        while not self.is_over():
            seen = await run.read_chunk(connection, after, self.chunk)
            if not seen:
                await run.count(connection, Counts(), is_over=True)
                break
            after = seen[-1].group_id
            await self._make_chunk(connection, run, seen)
        return await run.next_retry(connection)

    async def _make_chunk(
        self, connection: Connection, run: Run, seen: Sequence[Subscription]
    ) -> None:
        counts = Counts(chunks=1, groups=len(seen))
        answers: Answers = {}
        try:
            # A group that was away for months has several steps to make, one after the other.
            while seen:
                counts.failed += await self._charge(connection, run, seen, answers)
                steps = self._steps(seen, run, answers)
                if not steps:
                    break
                subscriptions = [step.subscription for step in steps]
                async with connection.transaction():
                    current = await run.lock(connection, subscriptions)
                    await self._do(connection, run, self._steps(current, run, answers), counts)
                    await run.count(connection, counts)
                counts = Counts()
                seen = await run.read_again(connection, subscriptions)
        except psycopg.OperationalError:
            raise
        except psycopg.Error:
            # What the savepoints did not catch fails at the end of the transaction. The groups of
            # the other chunks are served all the same, and this chunk in the next pass.
            logger.exception("a chunk failed as a whole")
            counts = Counts(chunks=counts.chunks, groups=counts.groups, failed=len(seen))
        if counts != Counts():
            await run.count(connection, counts)

    async def _charge(
        self,
        connection: Connection,
        run: Run,
        seen: Sequence[Subscription],
        answers: Answers,
    ) -> int:
        """Ask for the money of those whose next step depends on it; how many could not be."""
        failed = 0
        for each in seen:
            key = (each.id, each.period + 1)
            if key in answers or not must_be_charged(each, run.today):
                continue
            try:
                answers[key] = await self.charge(connection, *key)
            except psycopg.OperationalError:
                raise
            except Exception as error:  # one group's charge must not keep the others waiting
                logger.exception("subscription %s could not be charged", each.id)
                await run.retry_later(connection, Step(each, "renew"), _spoken(error))
                failed += 1
        return failed

    def _steps(
        self,
        subscriptions: Sequence[Subscription],
        run: Run,
        answers: Mapping[tuple[UUID, int], Charged],
    ) -> list[Step]:
        found = []
        for each in subscriptions:
            charged = answers.get((each.id, each.period + 1))
            if charged is None and must_be_charged(each, run.today):
                continue  # not asked yet, or it could not be: nothing may follow from that
            step = next_step(each, run.today, grace_days=self.grace_days, charged=charged)
            if step is not None:
                found.append(step)
        return found

    async def _do(
        self, connection: Connection, run: Run, steps: Sequence[Step], counts: Counts
    ) -> None:
        """All at once, or one by one when one of them cannot be done."""
        if not steps:
            return
        try:
            async with connection.transaction():
                await run.do(connection, steps, self.grace_days)
            counts.add(steps)
            return
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            if len(steps) == 1:
                (step,) = steps
                logger.exception("%s of subscription %s failed", step.action, step.subscription.id)
                await run.retry_later(connection, step, _spoken(error))
                counts.failed += 1
                return
        for step in steps:
            await self._do(connection, run, [step], counts)


def _spoken(error: Exception) -> str:
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return f"{type(error).__name__}: {error}"
