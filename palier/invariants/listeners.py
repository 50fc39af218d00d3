"""Listeners: every plan change reached every open socket of its tenant, once, and no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from psycopg import sql

from palier.errors import RunFilesError
from palier.invariants.looking import EXAMPLES, Check, Connection, NotNow, Scene, Seen
from palier.listeners.notes import (
    NOTES_FILE,
    Ended,
    Left,
    Lost,
    Note,
    Opened,
    Received,
    read_notes,
)

GRACE_S: Final = 2.0
"""What was committed later than this before the listeners left may still have been on its way: a
change should take two seconds at most (T-29)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of ``plan_events``.

    Attributes:
        number: Its place.
        group: Whose; None when it is for all groups on the plan.
        plan: Plan that the group then had, or whose contents changed.
        old_plan: Plan that the group had before; None when that is not known.
        committed_us: The moment before its commit.
    """

    number: int
    group: str | None
    plan: str
    old_plan: str | None
    committed_us: int


@dataclass(slots=True)
class Heard:
    """What one listener noted.

    Attributes:
        account: Whose socket it was; None if it never opened.
        numbers: Events it received, in the order they came.
        gaps: Stretches of numbers that it did not ask for: (after, up to).
        first: It hears what comes after this number.
        last: The newest number that it knew when its line was lost for good; None if it was open to
            the end.
        left_us: When it left.
    """

    account: str | None = None
    numbers: list[int] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    first: int = 0
    last: int | None = None
    left_us: int = 0
    _known: int = 0

    def add(self, note: Opened | Received | Lost | Left) -> None:
        """Take the next note."""
        if isinstance(note, Opened):
            if self.account is None:
                self.first = note.last
            elif note.last > self._known:
                self.gaps.append((self._known, note.last))
            self.account, self._known = note.account, max(self._known, note.last)
        elif isinstance(note, Received):
            self.numbers.append(note.number)
            self._known = max(self._known, note.number)
        elif isinstance(note, Left):
            self.left_us = note.at_us
            if not note.is_open:
                self.last = self._known


def heard_by(notes: Iterable[Note]) -> tuple[Mapping[int, Heard], bool]:
    """What each listener heard, and whether the notes are whole."""
    heard: dict[int, Heard] = defaultdict(Heard)
    is_whole = False
    for note in notes:
        if isinstance(note, Opened | Received | Lost | Left):
            heard[note.listener].add(note)
        elif isinstance(note, Ended):
            is_whole = True
    return heard, is_whole


@dataclass(frozen=True, slots=True)
class Due:
    """What concerns a tenant.

    Attributes:
        allowed: Numbers it may hear.
        demanded: Of those, the ones it must hear, with the moment of their commit. Contents of a
            plan that it left since are not: who was away then hears of the new plan only.
    """

    allowed: frozenset[int]
    demanded: Mapping[int, int]


def due_to(group: str, plan_now: str | None, events: Sequence[Event]) -> Due:
    """What concerns a group, from all events in order and the plan it has at the end."""
    plan = next((event.old_plan for event in events if event.group == group), plan_now)
    allowed: set[int] = set()
    demanded: dict[int, int] = {}
    contents: list[Event] = []
    for event in events:
        if event.group == group:
            if event.plan != plan:
                contents.clear()
            plan = event.plan
            allowed.add(event.number)
            demanded[event.number] = event.committed_us
        elif event.group is None and event.plan == plan:
            allowed.add(event.number)
            contents.append(event)
    demanded.update((event.number, event.committed_us) for event in contents)
    return Due(frozenset(allowed), demanded)


def compare(index: int, heard: Heard, due: Due) -> Seen:
    """What a listener had to hear and did not, and what it heard and should not have."""
    until_us = heard.left_us - round(GRACE_S * 1e6)
    wanted = {
        number
        for number, committed_us in due.demanded.items()
        if number > heard.first
        and committed_us <= until_us
        and (heard.last is None or number <= heard.last)
        and not any(after < number <= up_to for after, up_to in heard.gaps)
    }
    got = set(heard.numbers)
    who = f"listener {index} of {heard.account}"
    wrong = [f"{who} did not hear of event {number}" for number in sorted(wanted - got)]
    wrong += [f"{who} heard of event {number}, not its own" for number in got - due.allowed]
    wrong += [
        f"{who} heard of event {number} after {before}"
        for before, number in zip(heard.numbers, heard.numbers[1:], strict=False)
        if number <= before
    ]
    return Seen(len(wanted | got), len(wrong), tuple(wrong[:EXAMPLES]))


def _told(connection: Connection, scene: Scene) -> Seen:
    path = scene.load / NOTES_FILE
    if not path.exists():
        raise NotNow("not_applicable", "this run had no listeners")
    try:
        heard, is_whole = heard_by(read_notes(path))
    except RunFilesError as error:
        raise NotNow("not_checked", error.what) from error
    if not is_whole:
        raise NotNow("not_checked", "the listeners did not live to the end of the run")
    events = _events(connection)
    groups = _groups(connection, sorted({one.account for one in heard.values() if one.account}))
    due: dict[str, Due] = {}
    seen = Seen()
    for index, one in sorted(heard.items()):
        if one.account is None:
            continue
        group, plan = groups[one.account]
        if group not in due:
            due[group] = due_to(group, plan, events)
        seen += compare(index, one, due[group])
    return seen


def _events(connection: Connection) -> list[Event]:
    rows = connection.execute(
        sql.SQL(
            """
            SELECT e.number, e.school_group_id::text, e.plan_id::text, p.id::text,
                   (extract(epoch FROM (e.payload->>'at')::timestamptz) * 1000000)::bigint
            FROM plan_events e LEFT JOIN subscription_plans p ON p.slug = e.payload->>'old_plan'
            ORDER BY e.number
            """
        )
    )
    return [
        Event(number=number, group=group, plan=plan, old_plan=old, committed_us=committed_us)
        for number, group, plan, old, committed_us in rows
    ]


def _groups(
    connection: Connection, accounts: Sequence[str]
) -> Mapping[str, tuple[str, str | None]]:
    """Group of each account, and the plan that the group has now."""
    rows = connection.execute(
        sql.SQL(
            """
            SELECT u.email, u.school_group_id::text, s.plan_id::text FROM users u
            LEFT JOIN subscriptions s ON s.school_group_id = u.school_group_id
            WHERE u.email = ANY(%s)
            """
        ),
        [list(accounts)],
    )
    return {email: (group, plan) for email, group, plan in rows}


LISTENER_CHECKS: Final = (
    Check(
        id="plan-changes-told",
        holds_when="Every plan change is heard by every connected listener of its tenant, once and "
        "in order, and by no other",
        how="table plan_events compared with the notes of every listener",
        look=_told,
    ),
)
