"""A worker's lines on their way to the master: numbered, kept until acknowledged, sent again.

ZeroMQ delivers in order and once while a connection lasts; what was under way when one broke is
gone without a word. So each line has a number, the master says up to which one it has written them
down, and the rest is sent again. Together they hold every request exactly once.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event

from palier.load.recorder import Sent
from palier.load.writes import Write, last_line
from scenarios.output import sample_line
from scenarios.wire import GIVE_UP_S, LEASE_S, SEND_AGAIN_S

logger = logging.getLogger(__name__)

Packet = dict[str, Any]


@dataclass(slots=True)
class _Kept:
    """A packet that is not acknowledged.

    Attributes:
        packet: The message.
        first_ns: When it was sent for the first time.
        last_ns: When it was sent most recently.
    """

    packet: Packet
    first_ns: int
    last_ns: int


class Outbox:
    """Sends lines and keeps those that the master has not acknowledged.

    Memory is bounded by time: a worker without acknowledgement ends after ``GIVE_UP_S``.

    Args:
        send: Hands a packet to Locust.
        worker: Index of the loader.
        raw: True to send every request on its own, too.
        on_lease: Told until when requests may be sent, an instant of CLOCK_MONOTONIC.
        on_cut_off: Called once when no acknowledgement has come for too long.

    Attributes:
        wants_samples: True if it is to be told of every request.
    """

    def __init__(
        self,
        send: Callable[[Packet], None],
        *,
        worker: int,
        raw: bool,
        on_lease: Callable[[int], None],
        on_cut_off: Callable[[], None],
    ) -> None:
        self._send = send
        self._worker = worker
        self._given_up = False
        self.wants_samples = raw
        self._on_lease = on_lease
        self._on_cut_off = on_cut_off
        self._kept: deque[_Kept] = deque()
        self._writes: list[Write] = []
        self._written = 0
        self._samples: list[str] = []
        self._empty = Event()
        self._empty.set()
        self._again = gevent.spawn(self._send_again)
        self.clock_offset_ns = 0
        """How far this machine's clock is ahead of the master's: writes are told in its time."""

    def line(self, text: str, *, seq: int, final: bool) -> None:
        """Send a line, with the writes and samples since the one before."""
        writes = "".join(write.line(ahead_ns=self.clock_offset_ns) for write in self._writes)
        if final:
            writes += last_line(self._written)
        packet = {
            "worker": self._worker,
            "seq": seq,
            "final": final,
            "line": text,
            "writes": writes,
            "samples": "".join(self._samples),
        }
        self._writes.clear()
        self._samples.clear()
        if self._given_up:
            return
        now_ns = time.monotonic_ns()
        self._empty.clear()
        self._kept.append(_Kept(packet, now_ns, now_ns))
        self._send(packet)

    def sample(self, sent: Sent) -> None:
        """Told of a request that was sent."""
        if self.wants_samples:
            self._samples.append(sample_line(sent))

    def write(self, write: Write) -> None:
        """Told of every request that was to change something, when its fate is known."""
        self._writes.append(write)
        self._written += 1

    def acknowledged(self, upto: int) -> None:
        """The master has written down every line up to this one."""
        first_ns = None
        while self._kept and self._kept[0].packet["seq"] <= upto:
            first_ns = self._kept.popleft().first_ns
        if first_ns is not None:
            self._on_lease(first_ns + round(LEASE_S * 1e9))
        if not self._kept:
            self._empty.set()

    def give_up(self) -> None:
        """Nobody takes our lines any more: forget them, and wait for nothing."""
        self._given_up = True
        self._kept.clear()
        self._empty.set()

    def close(self) -> None:
        """Wait until everything is acknowledged, or it is too late for that."""
        if not self._empty.wait(GIVE_UP_S):
            logger.error("%d lines were never acknowledged", len(self._kept))
        self._again.kill()

    def _send_again(self) -> None:
        oldest: _Kept | None = None
        awake_s = 0.0
        while True:
            before_ns = time.monotonic_ns()
            gevent.sleep(SEND_AGAIN_S / 4)
            now_ns = time.monotonic_ns()
            # Only time in which we could have heard something counts: not while we stood still.
            awake_s += min((now_ns - before_ns) / 1e9, SEND_AGAIN_S)
            if not self._kept or self._kept[0] is not oldest:
                oldest = self._kept[0] if self._kept else None
                awake_s = 0.0
            if self._kept and awake_s > GIVE_UP_S:
                self._on_cut_off()
                return
            if not self._kept or now_ns - self._kept[0].last_ns < SEND_AGAIN_S * 1e9:
                continue
            # In order, from the first that is missing: the master takes nothing else.
            for kept in self._kept:
                kept.last_ns = now_ns
                self._send(kept.packet)
