"""Dispatch: every step begins when it is wanted, or as soon after as it can.

One alarm for the whole loader. When it rings, whatever is due is begun, each in a greenlet of the
crew, which comes back here at its first wait. Between two steps a visit is an entry of the agenda.
Nothing spins: that would starve the I/O it measures.

Sessions are bounded; who arrives and finds none free waits in a line, for so long and no longer
(docs/decisions/0002-late-requests.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gevent.event import Event

from palier.load.chance import MICROSECONDS
from palier.load.session import Session
from scenarios.agenda import Agenda
from scenarios.alarm import Alarm, make_alarm
from scenarios.books import Books
from scenarios.crew import Crew
from scenarios.playing import Playing
from scenarios.run_clock import RunClock
from scenarios.visit import Visit

AT_ONCE: Final = 16
"""So many are begun before the loop may look for answers again: a generator that is late must not
read its answers late, too. Sixteen take about half a millisecond."""

_NEVER_US: Final = 10**15
"""Thirty years."""


class Dispatch:
    """What is played when, in one loader.

    Args:
        clock: The clock of the run.
        playing: How a visit is played.
        books: Where skips go.
        meet: Makes the visit of a session that arrives.
        max_sessions: Sessions in progress at once.
        patience_s: Longest an arrival waits for a free session.
        on_bug: Told of an exception that escaped the playing.

    Attributes:
        done: Set while nothing is left to do.
        lease_until_ns: Nothing is begun after this instant of CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        *,
        clock: RunClock,
        playing: Playing,
        books: Books,
        meet: Callable[[Session], Visit],
        max_sessions: int,
        patience_s: float,
        on_bug: Callable[[BaseException], None],
    ) -> None:
        self.done = Event()
        self.lease_until_ns = 1 << 63
        self._clock = clock
        self._playing = playing
        self._books = books
        self._max_sessions = max_sessions
        self._patience_us = round(patience_s * MICROSECONDS)
        self._agenda = Agenda(meet)
        self._in_progress: set[Visit] = set()
        self._waiting: deque[tuple[int, Visit]] = deque()
        """In the order of asking, with the instant of that."""
        self._crew = Crew(self._go_on, on_bug=on_bug)
        self._on_bug = on_bug
        self._alarm: Alarm | None = None
        """There is one while steps may begin."""
        self._alarm_us = _NEVER_US

    @property
    def sessions(self) -> int:
        """Sessions in progress."""
        return len(self._in_progress)

    @property
    def busy(self) -> int:
        """Steps that are being done."""
        return self._crew.busy

    def expect(self, sessions: Iterable[Session]) -> None:
        """Sessions that will arrive at their first step; also while it runs."""
        self._agenda.expect(sessions)
        self.done.clear()
        self._set_alarm()

    def expect_visit(self, visit: Visit) -> None:
        """A visit brought to its next planned step, where it goes on here; also while it runs."""
        self._agenda.add(visit.nominal_us[visit.next], visit)
        self.done.clear()
        self._set_alarm()

    def renew_lease(self, until_ns: int) -> None:
        """Steps may begin until then; those held back since the last lease ended begin now."""
        self.lease_until_ns = until_ns
        self._set_alarm()

    def fill(self, count: int) -> None:
        """Have greenlets for so many requests in flight."""
        self._crew.fill(count)

    def open(self) -> None:
        """Begin; the clock is set."""
        self._alarm = make_alarm(self._ring)
        self._set_alarm()
        self._look_whether_done()

    def close(self) -> None:
        """Begin nothing more; what is being done goes on."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
        if not self._crew.busy:
            self.done.set()

    def kill(self) -> None:
        """End what is being done, wherever it is."""
        self._crew.kill()

    def left(self) -> Iterator[Visit]:
        """Every visit that is not over, once; takes them off."""
        begun, self._in_progress = self._in_progress, set()
        yield from begun
        yield from (visit for _, visit in self._waiting)
        self._waiting.clear()
        yield from (visit for visit in self._agenda.clear() if visit not in begun)

    # in the hub -----------------------------------------------------------------------------

    def _ring(self) -> None:
        try:
            self._begin_what_is_due(self._clock.now_us())
        except Exception as error:  # noqa: BLE001  the loop would only print it
            self.close()
            self._on_bug(error)

    def _begin_what_is_due(self, now_us: int) -> None:
        if self._clock.ns_of(now_us) > self.lease_until_ns:
            self._ring_at(_NEVER_US)  # a new lease sets it again
            return
        while self._waiting and self._waiting[0][0] + self._patience_us <= now_us:
            _, visit = self._waiting.popleft()
            self._books.skip_rest(visit, "no_free_session", now_us)
        take, give, in_progress = self._agenda.take, self._crew.give, self._in_progress
        for _ in range(AT_ONCE):
            due = take(now_us)
            if due is None:
                break
            if due in in_progress or self._admit(due):
                give(due)
        self._set_alarm()

    def _admit(self, visit: Visit) -> bool:
        """Give a visit a session if one is free; otherwise it waits in line."""
        if len(self._in_progress) < self._max_sessions:
            self._in_progress.add(visit)
            return True
        # From now, not from the arrival: if we were late to ask, that is our own lateness.
        self._waiting.append((self._clock.now_us(), visit))
        return False

    # in a greenlet of the crew --------------------------------------------------------------

    def _go_on(self, visit: Visit) -> None:
        """Do the step of a visit that is due, and see when the next one is."""
        playing = self._playing
        due_us: int | None
        if visit.due_us is None:
            due_us = playing.begin(visit)
            if due_us is not None and due_us <= self._clock.now_us():
                due_us = playing.step(visit)
        else:
            due_us = playing.step(visit)
        if due_us is not None:
            self._put_off(visit, due_us)
        else:
            self._leave(visit)
            if not self._in_progress and not self._agenda:
                self.done.set()
        # The last one to come here is still counted as busy.
        if self._alarm is None and self._crew.busy <= 1:
            self.done.set()

    def _put_off(self, visit: Visit, due_us: int) -> None:
        self._agenda.add(due_us, visit)
        if due_us < self._alarm_us:
            self._set_alarm()

    def _leave(self, visit: Visit) -> None:
        """A visit is over; whoever has waited longest for its session has it now."""
        self._in_progress.discard(visit)
        if self._waiting:
            asked_us, patient = self._waiting.popleft()
            now_us = self._clock.now_us()
            patient.session_wait_us = now_us - asked_us
            self._in_progress.add(patient)
            self._put_off(patient, now_us)

    # ----------------------------------------------------------------------------------------

    def _set_alarm(self) -> None:
        next_us = self._agenda.next_us()
        at_us = _NEVER_US if next_us is None else next_us
        if self._waiting:
            at_us = min(at_us, self._waiting[0][0] + self._patience_us)
        self._ring_at(at_us)

    def _ring_at(self, at_us: int) -> None:
        if self._alarm is not None:
            self._alarm_us = at_us
            self._alarm.set(self._clock.ns_of(at_us))

    def _look_whether_done(self) -> None:
        if not self._in_progress and not self._agenda:
            self.done.set()
