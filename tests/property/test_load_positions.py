"""Whoever reads a loader's lines knows how far each of its sessions has come, after every line."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from palier.load.positions import Positions
from palier.load.recorder import Recorder
from palier.load.schedule import make_schedule
from scenarios.books import Books
from scenarios.visit import Visit

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from load_plans import journey, plan_of

SCHEDULE = make_schedule(plan_of(journey("enter", "look", "say_who", think_s=0.3), duration_s=3))
SESSIONS = SCHEDULE.sessions[:4]


class Nowhere:
    """Wants no samples."""

    wants_samples = False

    def sample(self, sent: object) -> None:
        raise AssertionError(f"{sent}: nobody asked for samples")


MOVES = st.lists(
    st.tuples(st.integers(0, len(SESSIONS) - 1), st.sampled_from(["send", "skip", "rest", "line"])),
    max_size=60,
)


@settings(deadline=None)
@given(MOVES)
def test_the_lines_say_where_every_session_is_and_what_is_in_flight(
    moves: list[tuple[int, str]],
) -> None:
    books = Books(Recorder(worker=0), Nowhere())  # type: ignore[arg-type]
    visits = [Visit(session, SCHEDULE) for session in SESSIONS]
    known = Positions(SCHEDULE)
    closed: list[int] = []

    def read_a_line() -> None:
        positions = books.moved.since_last()
        closed.extend(positions["closed"])  # type: ignore[arg-type]
        known.add({"worker": 0, "positions": positions})
        for visit in visits:
            assert known.next_step(visit.session.index) == visit.next
        in_flight = {one.session: (one.step, one.started_us) for one in known.in_flight(0)}
        assert in_flight == {
            visit.session.index: (visit.next - 1, visit.started_us)
            for visit in visits
            if visit.started_us is not None
        }

    for instant_us, (who, move) in enumerate(moves):
        visit = visits[who]
        if move == "line":
            read_a_line()
        elif visit.started_us is not None:
            books.end(visit, instant_us, "succeeded", "")
        elif not visit.open:
            # Nothing is left of it, and to say so again changes nothing.
            books.pass_over(visit, 0, "session_aborted")
            books.skip_rest(visit, "end_of_run", instant_us)
        elif move == "send":
            visit.due_us = instant_us
            books.send(visit, instant_us)
        elif move == "skip":
            books.pass_over(visit, 1, "session_aborted")
        else:
            books.skip_rest(visit, "end_of_run", instant_us)
    read_a_line()
    over = sorted(v.session.index for v in visits if not v.open and v.started_us is None)
    assert sorted(closed) == over
    # Nothing moved since, so nothing is said.
    assert books.moved.since_last() == {"open": [], "closed": []}
