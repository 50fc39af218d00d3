"""What is due when: never early, in order, everything once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palier.load.schedule import Schedule
from palier.load.session import Session
from scenarios.agenda import Agenda
from scenarios.visit import Visit

INSTANTS = st.integers(min_value=0, max_value=20)
"""Few, so that many things are due in the same microsecond."""


def session(index: int, at_us: int) -> Session:
    return Session(index=index, at_us=at_us, journey="J", tenant=0, first_step=0, pauses_us=(0,))


SCHEDULE = Schedule(window_us=21, sessions=(), steps={"J": ("look",)}, digest="")


def visit(index: int, at_us: int) -> Visit:
    return Visit(session(index, at_us), SCHEDULE)


def agenda_of(arrivals: list[int], visits: list[int] = []) -> Agenda:  # noqa: B006  read only
    """Sessions 0 ... arrive, and visits of higher numbers are due."""
    agenda = Agenda(lambda one: Visit(one, SCHEDULE))
    agenda.expect(session(index, at_us) for index, at_us in enumerate(arrivals))
    for index, at_us in enumerate(visits, start=len(arrivals)):
        agenda.add(at_us, visit(index, at_us))
    return agenda


def key(one: Visit) -> tuple[int, int]:
    return one.session.at_us, one.session.index


@given(st.lists(INSTANTS), st.lists(INSTANTS), INSTANTS)
def test_what_is_due_is_taken_in_order_and_nothing_else_is(
    arrivals: list[int], visits: list[int], now_us: int
) -> None:
    agenda = agenda_of(arrivals, visits)

    taken = []
    while (one := agenda.take(now_us)) is not None:
        taken.append(key(one))

    everything = sorted((at_us, index) for index, at_us in enumerate(arrivals + visits))
    assert taken == [one for one in everything if one[0] <= now_us]
    later = [one for one in everything if one[0] > now_us]
    assert agenda.next_us() == (later[0][0] if later else None)
    assert sorted(map(key, agenda.clear())) == later
    assert not agenda


@given(st.lists(INSTANTS, min_size=1), st.data())
def test_it_is_never_early_however_visits_come_back_and_sessions_are_added(
    arrivals: list[int], data: st.DataObject
) -> None:
    """As in a run: the clock goes on, what was taken is due again later, others are handed over."""
    agenda = agenda_of(arrivals)
    numbers = iter(range(len(arrivals), 10_000))
    due = dict(enumerate(arrivals))
    now_us = 0
    for _ in range(30):
        now_us += data.draw(st.integers(min_value=0, max_value=3))
        if data.draw(st.booleans()):
            added = [
                session(next(numbers), now_us + wait) for wait in data.draw(st.lists(INSTANTS))
            ]
            agenda.expect(added)
            due |= {one.index: one.at_us for one in added}
        one = agenda.take(now_us)
        assert (one is None) == all(at_us > now_us for at_us in due.values())
        if one is None:
            continue
        assert (due[one.session.index], one.session.index) == min(
            (at_us, index) for index, at_us in due.items()
        )
        del due[one.session.index]
        if data.draw(st.booleans()):
            pause_us = data.draw(INSTANTS)
            agenda.add(now_us + pause_us, one)
            due[one.session.index] = now_us + pause_us
    assert sorted(one.session.index for one in agenda.clear()) == sorted(due)
