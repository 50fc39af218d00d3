"""One look after the other: write down what was seen, open and close alerts, tell of them.

Everything is in the database, so the process may be killed anywhere, run twice, or run once a while
(``--once``): an alert opens once, closes once, and each is told once. While the database is away,
which is when an alert matters most, the same goes on from memory and is written down afterwards.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from reference_app.monitoring import store
from reference_app.monitoring.alert import Alert
from reference_app.monitoring.health import Health
from reference_app.monitoring.rules import DATABASE_DOWN, Rule, Seen, is_over, openings
from reference_app.monitoring.telling import NotToldError, Teller

KEPT_IN_MEMORY = 2000
"""Looks of an outage that are written down afterwards: a week at one in five minutes."""

HISTORY_SLACK = timedelta(hours=1)
"""Beyond the longest time that a rule must have been broken: looks may be far apart."""

logger = logging.getLogger("reference_app.monitoring")


class Monitor:
    """Looks, remembers, tells.

    Args:
        connect: Connects to the database.
        look: Looks at every part of the service.
        teller: Tells somebody; None tells nobody.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[store.Connection]],
        look: Callable[[], Awaitable[Health]],
        teller: Teller | None,
    ) -> None:
        self._connect = connect
        self._look = look
        self._teller = teller
        self._rules: Mapping[str, Rule] = {DATABASE_DOWN.slug: DATABASE_DOWN}
        self._history: list[Seen] = []
        self._alerts: dict[UUID, Alert] = {}
        # not yet in the database
        self._checks: list[Health] = []
        self._changed: set[UUID] = set()

    async def check(self) -> Health:
        """Look once, with all that follows from it."""
        seen = await self._look()
        self._checks = [*self._checks, seen][-KEPT_IN_MEMORY:]
        self._history.insert(0, Seen(seen.at, seen.figures()))
        del self._history[KEPT_IN_MEMORY:]
        if seen.status == "down":
            await self._from_memory()
            return seen
        try:
            # A connection of its own for each look: its end ends the turn, too.
            async with await self._connect() as connection:
                await self._with_database(connection)
        except psycopg.OperationalError as error:
            # It went away since we looked; what is decided already stays decided.
            logger.warning("database unavailable: %s: %s", type(error).__name__, error)
            await self._from_memory()
        return seen

    async def _from_memory(self) -> None:
        self._decide()
        await self._tell()

    async def _with_database(self, connection: store.Connection) -> None:
        if not await store.take_turn(connection):
            # It tells what there is to tell; what was seen here is written down at the next look.
            logger.info("another monitor is at work")
            return
        await self._catch_up(connection)
        self._decide()
        await self._write(connection)
        await self._tell()
        await self._write(connection)

    async def _catch_up(self, connection: store.Connection) -> None:
        """Write what an outage kept in memory, then believe the database."""
        await self._write(connection)
        rules = await store.read_rules(connection)
        self._rules = {rule.slug: rule for rule in rules}
        reach = timedelta(seconds=max((rule.for_s for rule in rules), default=0)) + HISTORY_SLACK
        self._history = await store.read_history(connection, self._history[0].at - reach)
        self._alerts = {alert.id: alert for alert in await store.read_alerts(connection)}

    async def _write(self, connection: store.Connection) -> None:
        """All that is not in the database yet, in one transaction."""
        async with connection.transaction():
            await store.write_checks(connection, self._checks)
            for alert_id in sorted(self._changed):
                await store.write_alert(connection, self._alerts[alert_id])
        self._checks.clear()
        self._changed.clear()

    def _decide(self) -> None:
        """Open and close what follows from the newest look."""
        newest = self._history[0]
        open_ones = {each.rule: each for each in self._alerts.values() if each.closed_at is None}
        for alert in open_ones.values():
            if is_over(alert.rule, self._rules, newest.figures):
                self._change(dataclasses.replace(alert, closed_at=newest.at))
                logger.warning("alert closed: %s", alert.rule)
        for opening in openings(tuple(self._rules.values()), self._history, open_ones.__contains__):
            self._change(Alert.opened(opening, newest.at))
            logger.warning("alert opened: %s: %g", opening.rule.slug, opening.value)

    async def _tell(self) -> None:
        """Tell what is untold, the oldest first; what nobody accepts is told at the next look."""
        if self._teller is None:
            return
        for alert in sorted(self._alerts.values(), key=lambda each: each.opened_at):
            told = alert
            while (turn := told.untold()) is not None:
                try:
                    tries = await self._teller.tell(told, self._rules.get(told.rule), turn)
                except NotToldError as error:
                    self._change(told.not_told(error.tries, str(error)))
                    break
                told = told.told(turn, datetime.now(UTC), tries)
                self._change(told)

    def _change(self, alert: Alert) -> None:
        self._alerts[alert.id] = alert
        self._changed.add(alert.id)
