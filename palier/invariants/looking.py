"""How an invariant is looked for: a number of things, the ones that break it, and an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from palier.analysis.invariants import Invariant, InvariantState
from palier.invariants.baseline import Baseline

EXAMPLES: Final = 5
"""Enough to see a pattern."""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the checks know beside the database.

    Attributes:
        baseline: The database before the load.
        unknown: Loaders whose last writes are not known.
        strange: Kinds that were written and whose table is not known.
        row_security: The deployment's switch.
        sync: Likewise.
        load: Folder of what the load generator wrote.
        receivers: Address of those who receive webhooks; None when they are not ours.
    """

    baseline: Baseline
    unknown: tuple[int, ...]
    strange: tuple[str, ...]
    row_security: str
    sync: str
    load: Path
    receivers: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw."""

    checked: int = 0
    violations: int = 0
    examples: tuple[str, ...] = ()

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.checked + other.checked,
            self.violations + other.violations,
            (*self.examples, *other.examples)[:EXAMPLES],
        )


class NotNow(Exception):  # noqa: N818  an answer, not a mishap
    """A check has nothing to say about this run; the message is the reason.

    Attributes:
        state: How that counts.
    """

    def __init__(self, state: InvariantState, why: str) -> None:
        super().__init__(why)
        self.state = state


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One invariant and how it is looked for.

    Attributes:
        id: As in ``Invariant``.
        holds_when: As in ``Invariant``.
        how: As in ``Invariant``.
        look: Asks the database; raises ``NotNow`` when there is no answer.
    """

    id: str
    holds_when: str
    how: str
    look: Callable[[Connection, Scene], Seen]

    def answer(self, connection: Connection, scene: Scene) -> Invariant:
        """Look, inside a savepoint: a check that fails leaves the others their snapshot."""
        state: InvariantState
        seen, why = Seen(), ""
        try:
            with connection.transaction():
                seen = self.look(connection, scene)
            state = "violated" if seen.violations else "held"
        except NotNow as reason:
            state, why = reason.state, str(reason)
        except psycopg.errors.QueryCanceled:
            state, why = "not_checked", "the database did not answer in time"
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            state, why = "not_checked", f"the database refused: {str(error).strip()}"
        return Invariant(
            id=self.id,
            holds_when=self.holds_when,
            how=self.how,
            state=state,
            checked=seen.checked,
            violations=seen.violations,
            examples=seen.examples,
            why=why,
        )


def broken_rows(
    connection: Connection, query: sql.Composable, parameters: Mapping[str, Any] | None = None
) -> tuple[int, tuple[str, ...]]:
    """How many rows break an invariant, and some of them.

    Args:
        query: Gives one row for each violation, with a column ``example``.
        parameters: Of the query.
    """
    rows = connection.execute(
        sql.SQL("SELECT example, count(*) OVER () FROM ({}) AS broken LIMIT {}").format(
            query, sql.Literal(EXAMPLES)
        ),
        parameters,
    ).fetchall()
    return (int(rows[0][1]) if rows else 0), tuple(str(row[0]) for row in rows)


def number(connection: Connection, query: sql.SQL | sql.Composed) -> int:
    """The one number that a query gives."""
    row = connection.execute(query).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
