"""What workers and their master say to each other through Locust's messages, and the times both
keep.

A worker may send requests only as long as its lease lasts: until so long after it sent the newest
line that the master has acknowledged. The master takes a worker for lost only a little later than
that after it received that line. Whatever the clocks say and however long a process stood still,
the worker has stopped before others are given its work.
"""

from __future__ import annotations

from typing import Final

JOIN: Final = "palier_join"
"""Worker: I have no plan yet; here is who I am."""

ASSIGN: Final = "palier_assign"
"""Master: your index, the plan, the name of the run."""

READY: Final = "palier_ready"
"""Worker: prepared; what the lead-in did."""

PING: Final = "palier_ping"
PONG: Final = "palier_pong"
"""Master asks for a worker's clock, and is told (``scenarios.clocks``)."""

START: Final = "palier_start"
"""Master: t0 on the worker's own clock."""

LINE: Final = "palier_line"
"""Worker: the next line, with the writes and samples since the one before."""

ACKNOWLEDGE: Final = "palier_acknowledge"
"""Master: everything up to this line is written down."""

FENCED: Final = "palier_fenced"
"""Master: your work was given to others; stop, nothing you say is taken any more."""

TAKE_OVER: Final = "palier_take_over"
"""Master: a worker is lost, and this is your part of its work."""

ABORT: Final = "palier_abort"
"""Master: the run is ended by one of its own rules."""

SEND_AGAIN_S: Final = 1.0
"""A line that is not acknowledged for so long is sent again."""

LEASE_S: Final = 1.6
"""From sending a line to the end of the lease that its acknowledgement gives. Lines come twice a
second, so two may be late before anything stops."""

LOST_AFTER_S: Final = 1.9
"""From receiving the newest line to taking the worker for lost: longer than a lease, by more than
one request takes from the last look at the lease to the socket, and within the promised 2 s."""

GIVE_UP_S: Final = 10.0
"""A worker that is not acknowledged for so long ends by itself; until then it keeps its lines."""
