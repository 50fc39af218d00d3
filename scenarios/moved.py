"""Which visits have moved since the last line: what others must know should this loader be lost."""

from __future__ import annotations

from scenarios.visit import Visit


class Moved:
    """Notes visits, and tells of each once a line."""

    def __init__(self) -> None:
        self._visits: set[Visit] = set()
        self.note = self._visits.add
        """Told of every visit that went a step on, or whose request ended."""

    def since_last(self) -> dict[str, list[list[int]] | list[int]]:
        """The ``positions`` of a line (``palier.load.positions``); starts afresh."""
        going_on: list[list[int]] = []
        closed: list[int] = []
        for visit in self._visits:
            index, upcoming = visit.session.index, visit.base + visit.next
            if visit.started_us is not None:
                assert visit.due_us is not None  # it has been sent
                request = (visit.due_us, visit.started_us, visit.session_wait_us)
                going_on.append([index, upcoming, *request])
            elif visit.open:
                going_on.append([index, upcoming])
            else:
                closed.append(index)
        self._visits.clear()
        return {"open": going_on, "closed": closed}
