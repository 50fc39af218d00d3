"""Which visits have moved since the last line: what others must know should this loader be lost."""

from __future__ import annotations

from scenarios.visit import Visit


class Moved:
    """Notes visits, and tells of each once a line.

    Of a visit that is over only the number is kept. At ten thousand visits a second it would hold
    up the loop for milliseconds to go through them all, and to give back their memory, in one go.
    """

    def __init__(self) -> None:
        self._visits: set[Visit] = set()
        self._closed: list[int] = []
        self.note = self._visits.add
        """Told of every visit that went a step on, or whose request ended."""

    def close(self, visit: Visit) -> None:
        """Told once of every visit that is over: nothing is left of it, or in flight."""
        self._visits.discard(visit)
        self._closed.append(visit.session.index)

    def since_last(self) -> dict[str, list[list[int]] | list[int]]:
        """The ``positions`` of a line (``palier.load.positions``); starts afresh."""
        going_on: list[list[int]] = []
        for visit in self._visits:
            index, upcoming = visit.session.index, visit.base + visit.next
            if visit.started_us is None:
                going_on.append([index, upcoming])
            else:
                assert visit.due_us is not None  # it has been sent
                request = (visit.due_us, visit.started_us, visit.session_wait_us)
                going_on.append([index, upcoming, *request])
        self._visits.clear()
        closed, self._closed = self._closed, []
        return {"open": going_on, "closed": closed}
