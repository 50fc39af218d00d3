"""How long a request may take, and when its answer came."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest

from scenarios.operation import TimedOut

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import LIMIT_S, LONG_S, OK, ask, client_of
from wire import Peer, Wire


def timed_out(behave: Callable[[Peer], object], **request: Any) -> str:
    with Wire(behave) as wire, client_of(wire, LIMIT_S) as client:
        began = time.monotonic()
        with pytest.raises(TimedOut) as failed:
            ask(client, **request)
        assert time.monotonic() - began >= LIMIT_S
        # The connection goes with it: its answer may still come.
        wire.wait_until(lambda wire: wire.ended == 1)
    return str(failed.value)


def test_a_request_that_takes_too_long_says_what_it_was_waiting_for() -> None:
    def half(peer: Peer) -> None:
        peer.answer(OK[:-1])
        peer.wait_for_end()

    go_on = threading.Event()

    def deaf(_peer: Peer) -> None:
        go_on.wait(LONG_S)

    assert timed_out(lambda peer: peer.wait_for_end()) == "no answer in 0.25 s"
    assert timed_out(half) == "no whole answer in 0.25 s"
    with Wire(deaf) as wire, client_of(wire, LIMIT_S) as client:
        with pytest.raises(TimedOut, match=r"^the request could not be sent in 0\.25 s$"):
            ask(client, "POST", body=bytes(20 << 20))
        go_on.set()


def test_each_of_many_requests_has_its_own_deadline() -> None:
    """They begin one after the other; each ends after the limit, neither sooner nor together."""
    with Wire(lambda peer: peer.wait_for_end()) as wire, client_of(wire, LIMIT_S) as client:
        took: list[float] = []

        def one() -> None:
            began = time.monotonic()
            with pytest.raises(TimedOut):
                ask(client)
            took.append(time.monotonic() - began)

        started = []
        for _ in range(5):
            started.append(gevent.spawn(one))
            gevent.sleep(LIMIT_S / 5)
        gevent.joinall(started, raise_error=True)
    assert len(took) == 5
    assert min(took) >= LIMIT_S


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel says when bytes came")
def test_an_answer_came_when_it_came_and_not_when_a_busy_loop_read_it() -> None:
    """And it is not called too late, though the limit has passed before it is read."""
    limit_s = 4 * LIMIT_S  # the answer itself has to come within it, on a busy machine, too
    sent_ns: list[int] = []
    is_sent = threading.Event()

    def behave(peer: Peer) -> None:
        peer.answer(OK)
        peer.answer(OK)
        sent_ns.append(time.monotonic_ns())
        is_sent.set()
        peer.wait_for_end()

    def hold_up_the_loop() -> None:
        assert is_sent.wait(LONG_S)
        while time.monotonic_ns() < sent_ns[0] + 2 * limit_s * 1e9:
            pass

    with Wire(behave) as wire, client_of(wire, limit_s) as client:
        ask(client)
        asked = gevent.spawn(ask, client)
        gevent.spawn(hold_up_the_loop)
        answer = asked.get()
        read_ns = time.monotonic_ns()

    assert answer.body == b"ok"
    assert read_ns - answer.came_ns >= limit_s * 1e9
    assert answer.came_ns <= sent_ns[0]


def test_a_request_that_is_killed_closes_its_connection() -> None:
    arrived = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        arrived.set()
        peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        asked = gevent.spawn(ask, client)
        while not arrived.is_set():
            gevent.sleep(0.005)
        asked.kill()
        wire.wait_until(lambda wire: wire.ended == 1)
