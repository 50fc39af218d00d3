"""What is due to listeners, and what their notes come to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from palier.invariants.listeners import Due, Event, Heard, compare, due_to
from palier.listeners.facts import listener_facts
from palier.listeners.notes import Began, Left, Lost, Note, Opened, Received
from reference_app.live.events import PlanEvent, message, told
from reference_app.live.hub import BACKLOG_MAX, Hub, Listener

SECOND = 1_000_000
END_US = 100 * SECOND


def event(number: int, group: str | None, plan: str, old: str | None = None) -> Event:
    return Event(number=number, group=group, plan=plan, old_plan=old, committed_us=number * SECOND)


def heard(*numbers: int, opened_at: int = 0, more: Sequence[Note] = ()) -> Heard:
    found = Heard()
    notes: list[Note] = [Opened(0, 0, "admin0", opened_at)]
    notes += [Received(0, n * SECOND, n, "plan", n * SECOND, 200) for n in numbers]
    notes += more or [Left(0, END_US, is_open=True)]
    for note in notes:
        assert isinstance(note, Opened | Received | Lost | Left)
        found.add(note)
    return found


EVENTS = (
    event(1, "mine", "pro", "free"),
    event(2, None, "pro"),
    event(3, None, "free"),
    event(4, "other", "pro", "free"),
    event(5, None, "pro"),
)


def test_contents_are_due_to_the_groups_that_have_the_plan_at_that_moment() -> None:
    assert due_to("mine", "pro", EVENTS).allowed == {1, 2, 5}
    assert due_to("other", "pro", EVENTS).allowed == {3, 4, 5}
    assert due_to("new", "free", EVENTS).allowed == {3}
    assert due_to("nobody", None, EVENTS).allowed == set()


def test_contents_of_a_plan_that_was_left_since_may_be_heard_and_need_not_be() -> None:
    due = due_to("mine", "free", (*EVENTS, event(6, "mine", "free", "pro")))

    assert due.allowed == {1, 2, 5, 6}
    assert set(due.demanded) == {1, 6}


DUE = Due(frozenset({1, 2, 5}), {1: SECOND, 2: 2 * SECOND, 5: 5 * SECOND})


def test_who_heard_all_that_was_due_breaks_nothing() -> None:
    seen = compare(0, heard(1, 2, 5), DUE)

    assert (seen.checked, seen.violations) == (3, 0)


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ((1, 5), "did not hear of event 2"),
        ((1, 2, 4, 5), "heard of event 4, not its own"),
        ((1, 2, 2, 5), "heard of event 2 after 2"),
    ],
    ids=["missed", "of somebody else", "twice"],
)
def test_what_was_missed_or_strange_or_heard_twice_is_told(
    numbers: tuple[int, ...], why: str
) -> None:
    seen = compare(0, heard(*numbers), DUE)

    assert seen.violations == 1
    assert why in seen.examples[0]


def test_nothing_from_before_the_socket_is_due_nor_what_was_on_its_way_at_the_end() -> None:
    assert compare(0, heard(2, 5, opened_at=1), DUE).violations == 0
    early = [Left(0, 6 * SECOND, is_open=True)]
    assert compare(0, heard(1, 2, more=early), DUE).violations == 0


def test_a_line_that_was_lost_for_good_owes_nothing_and_one_that_came_back_owes_all() -> None:
    lost = Lost(0, 3 * SECOND, 1006, "")

    gone = heard(1, 2, more=[lost, Left(0, END_US, is_open=False)])
    back = heard(1, 2, more=[lost, Opened(0, 4 * SECOND, "admin0", 2), Left(0, END_US, True)])
    anew = heard(1, more=[lost, Opened(0, 4 * SECOND, "admin0", 5), Left(0, END_US, True)])

    assert compare(0, gone, DUE).violations == 0
    assert "event 5" in compare(0, back, DUE).examples[0]
    assert compare(0, anew, DUE).violations == 0


def test_facts_are_of_the_changes_that_were_committed_in_the_window() -> None:
    notes: list[Note] = [Began(2)]
    notes += [
        Received(0, n * SECOND + n * 1000, n, "plan", n * SECOND, 200 + n) for n in range(1, 101)
    ]

    propagation, size = listener_facts(notes, from_us=11 * SECOND, to_us=91 * SECOND)

    assert propagation.value == pytest.approx(0.090)  # the 80th of 80: 99 % of them is 79.2
    assert size.value == 290
    assert listener_facts(notes, from_us=0, to_us=1) == ()


# The hub -------------------------------------------------------------------------------------


def plan_event(number: int, group: UUID | None, plan: UUID) -> PlanEvent:
    return PlanEvent(
        number=number,
        kind="content" if group is None else "plan",
        school_group_id=group,
        plan_id=plan,
        plan="pro",
        plan_name="Pro",
        old_plan=None,
        status=None,
        at="2026-01-01T00:00:00+00:00",
    )


def taken(listener: Listener) -> list[str | None]:
    found: list[str | None] = []
    while not listener.messages.empty():
        found.append(listener.messages.get_nowait())
    return found


def test_what_is_heard_while_the_database_is_asked_is_told_once_and_in_order() -> None:
    mine, plan = uuid4(), uuid4()
    events = [plan_event(number, mine, plan) for number in range(1, 6)]
    hub = Hub()

    with hub.listening(mine) as listener:
        for heard_early in events[2:4]:
            hub.tell(heard_early)
        assert taken(listener) == []
        # the answer holds up to number 3, of which 2 and 3 were missed
        listener.begin(since=1, last=3, plan_id=plan, missed=events[1:3])
        hub.tell(events[4])

        assert taken(listener) == [
            '{"type":"hello","last":1}',
            *(message(told(one)) for one in events[1:]),
        ]


def test_a_group_hears_of_its_own_changes_and_of_the_plan_it_has_by_then() -> None:
    mine, other, pro, free = (uuid4() for _ in range(4))
    hub = Hub()
    with hub.listening(mine) as listener:
        listener.begin(since=None, last=0, plan_id=pro, missed=())
        taken(listener)
        said = [
            plan_event(1, other, free),
            plan_event(2, None, pro),
            plan_event(3, mine, free),
            plan_event(4, None, pro),
            plan_event(5, None, free),
        ]
        for one in said:
            hub.tell(one)

        assert taken(listener) == [message(told(said[index])) for index in (1, 2, 4)]
    assert len(hub) == 0


def test_a_reader_that_does_not_read_is_ended_and_keeps_no_more_memory() -> None:
    mine, plan = uuid4(), uuid4()
    hub = Hub()
    with hub.listening(mine) as listener:
        listener.begin(since=None, last=0, plan_id=plan, missed=())
        for number in range(1, 10 * BACKLOG_MAX):
            hub.tell(plan_event(number, mine, plan))

        assert listener.is_too_slow
        assert listener.messages.qsize() == BACKLOG_MAX + 1


def test_the_longest_names_make_a_message_of_less_than_a_kilobyte() -> None:
    # Control signs are the longest in JSON: six bytes each. The database cuts at 30 and 40 signs.
    longest = PlanEvent(
        number=2**63 - 1,
        kind="content",
        school_group_id=uuid4(),
        plan_id=uuid4(),
        plan="\x01" * 30,
        plan_name="\x01" * 40,
        old_plan="\x01" * 30,
        status="suspended",
        at="2026-01-01T00:00:00.000000+00:00",
    )

    assert len(message(told(longest)).encode()) < 1000


def test_sockets_are_ended_when_the_process_ends() -> None:
    async def end() -> str | None:
        hub = Hub()
        with hub.listening(uuid4()) as listener:
            listener.begin(since=None, last=0, plan_id=None, missed=())
            hub.end_all()
            await listener.messages.get()
            return await listener.messages.get()

    assert asyncio.run(end()) is None
