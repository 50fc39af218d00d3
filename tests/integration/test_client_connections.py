"""Connections are kept, replaced and given up."""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
from pathlib import Path

import gevent
import pytest

from scenarios.operation import Failed, GeneratorError

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import LONG_S, OK, always, ask, client_of
from wire import Peer, Wire


def test_a_connection_is_used_again_and_no_more_are_opened_than_are_in_use_at_once() -> None:
    with Wire(always(OK)) as wire:
        with client_of(wire) as client:
            for _ in range(3):
                ask(client)
            assert wire.connections == 1
            gevent.joinall([gevent.spawn(ask, client) for _ in range(4)], raise_error=True)
            for _ in range(20):
                ask(client)
        assert wire.connections <= 4
        assert len(wire.requests) == 27


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_the_server_will_close_is_not_used_again(answer: bytes) -> None:
    with Wire(always(answer)) as wire:
        with client_of(wire) as client:
            assert [ask(client).body for _ in range(3)] == [b"ok"] * 3
        assert wire.connections == 3


def test_a_connection_that_was_closed_while_idle_is_replaced_and_nothing_is_sent_twice() -> None:
    with Wire(lambda peer: peer.answer(OK)) as wire, client_of(wire) as client:
        for times in range(1, 4):
            assert ask(client).body == b"ok"
            wire.wait_until(lambda wire, times=times: wire.ended == times)  # type: ignore[misc]
        assert len(wire.requests) == 3


def test_a_request_that_a_closing_server_swallows_is_not_sent_again() -> None:
    def behave(peer: Peer) -> None:
        peer.answer(OK)
        peer.request()

    with Wire(behave) as wire, client_of(wire) as client:
        ask(client)
        with pytest.raises(Failed, match="the connection was closed before it"):
            ask(client, path="/second")
        assert len(wire.requests) == 2
        assert wire.connections == 1


def test_bytes_that_nobody_asked_for_make_an_idle_connection_useless() -> None:
    go_on = threading.Event()
    told = threading.Event()

    def behave(peer: Peer) -> None:
        peer.answer(OK)
        if wire.connections == 1:
            assert go_on.wait(LONG_S)
            peer.send(b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n")
            told.set()
        peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        ask(client)
        go_on.set()
        assert told.wait(LONG_S)
        gevent.sleep(0.01)  # the loop sees them, too, and must not turn in circles over it
        assert ask(client).status == 200
        assert wire.connections == 2


def test_connections_are_kept_beyond_descriptor_1023() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("not allowed to open as many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with Wire(always(OK)) as wire:
            with client_of(wire) as client:
                for _ in range(3):
                    ask(client)
            assert wire.connections == 1
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_machine_without_free_files_blames_itself() -> None:
    with Wire(always(OK)) as wire, client_of(wire) as client:
        gevent.sleep(0)  # the loop has its own descriptors by now
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(GeneratorError, match="Too many open files: raise the limit"):
                ask(client)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_failures_leave_nothing_to_the_collector() -> None:
    """It is off while a loader runs."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"

    def behave(peer: Peer) -> None:
        kind = peer.request().split(b" ")[1]
        if kind == b"/reset":
            peer.reset()
        elif kind == b"/wait":
            peer.wait_for_end()
        else:
            peer.send({b"/cut": cut, b"/junk": b"junk\r\n"}.get(kind, b""))

    with Wire(behave) as wire, client_of(wire, 0.05) as client:

        def fail_in_every_way() -> None:
            for path in ("/cut", "/junk", "/reset", "/close", "/wait"):
                with pytest.raises(Failed):
                    ask(client, path=path)

        fail_in_every_way()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                for path in ("/cut", "/junk", "/reset", "/close", "/wait"):
                    try:
                        ask(client, path=path)
                    except Failed:
                        continue
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left = [one for one in gc.garbage if type(one).__module__.startswith("scenarios")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert left == []
