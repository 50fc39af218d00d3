"""A server whose latency law is known, and which keeps its own log; a process of its own.

    python -m palier.selftest.server --law lognormal:5ms:0.5 --freeze 2s/20s --log answers.npy

Prints its port as the first line, then serves until SIGTERM. Every path is answered with a small
JSON body; ``GET /log`` writes the log first. With ``--servers C`` requests queue for C servers,
first come first served, otherwise each has one of its own.

A freeze stands still as a stopped process does: nothing is read, nothing accepted, nothing sent.
Stalls count from the first request; a freeze lies in the middle of each of its periods.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import heapq
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httptools

from palier.errors import PalierError
from palier.model.duration import parse_duration
from palier.selftest.alarm import make_alarm
from palier.selftest.answer_log import NO_SESSION, AnswerLog
from palier.selftest.law import NEVER, NS_PER_S, Law, Stalls, parse_freeze, parse_law

BODY: Final = b'{"ok":true}'
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n"
    b"Content-Length: %d\r\n\r\n%s"
) % (len(BODY), BODY)

BACKLOG: Final = 65_535
"""Connections that wait to be accepted; the kernel cuts it to its own limit."""

_SESSION: Final = b"/session/"


class Service:
    """What all connections share: law, queue, stalls and log.

    Args:
        loop: The event loop.
        law: How long an answer takes.
        servers: Size of the queue's counter; 0 for a server for each request.
        stalls: When it does something else.
        seed: Of the law's draws.
        log_path: Where the log goes; None for no log.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        law: Law,
        servers: int = 0,
        stalls: Stalls = NEVER,
        seed: int = 1,
        log_path: Path | None = None,
    ) -> None:
        self.log = AnswerLog() if log_path is not None else None
        self._log_path = log_path
        self._loop = loop
        self._draw_ns = law.drawer(seed)
        self._at_once = law.takes_no_time
        self._stalls = stalls
        # When each server will be free. The queue is kept in the law's own time: an answer that
        # we send late delays no other.
        self._free_ns = [0] * servers
        self._due: list[tuple[int, int, Connection, int, int]] = []
        self._accepted = 0
        self._alarm = make_alarm(loop, self._answer_due)
        self._first_ns: int | None = None

    def accept(self, connection: Connection, session: int) -> None:
        """A request has been read; it is answered now or when the law says."""
        now_ns = time.monotonic_ns()
        if self._first_ns is None:
            self._first_ns = now_ns
            self._plan_freeze(0.0)
        if self._at_once:
            self._answer(connection, session, now_ns, now_ns)
            return
        takes_ns = self._draw_ns()
        if self._stalls.slow_start_s is not None:
            takes_ns = int(takes_ns * self._stalls.factor((now_ns - self._first_ns) / NS_PER_S))
        begin_ns = now_ns
        if self._free_ns:
            begin_ns = max(now_ns, self._free_ns[0])
            heapq.heapreplace(self._free_ns, begin_ns + takes_ns)
        due_ns = begin_ns + takes_ns
        due = self._due
        self._accepted += 1
        heapq.heappush(due, (due_ns, self._accepted, connection, session, now_ns))
        if due[0][1] == self._accepted:
            self._alarm.set(due_ns)

    def write_log(self) -> None:
        """Write the log, if there is to be one."""
        if self.log is not None and self._log_path is not None:
            self.log.write(self._log_path)

    def _answer_due(self) -> None:
        due = self._due
        while due and due[0][0] <= time.monotonic_ns():
            due_ns, _, connection, session, received_ns = heapq.heappop(due)
            self._answer(connection, session, received_ns, due_ns)
        if due:
            self._alarm.set(due[0][0])

    def _answer(self, connection: Connection, session: int, received_ns: int, due_ns: int) -> None:
        answered_ns = time.monotonic_ns()
        if connection.send(ANSWER) and self.log is not None:
            self.log.add(session, received_ns, due_ns, answered_ns)

    def _plan_freeze(self, after_s: float) -> None:
        freeze = self._stalls.freeze_after(after_s)
        if freeze is not None:
            self._loop.call_later(max(freeze[0] - self._since_first_s(), 0.0), self._freeze, freeze)

    def _freeze(self, freeze: tuple[float, float]) -> None:
        _, end_s = freeze
        if end_s == math.inf:
            self._freeze_for_good()
            return
        # The whole process sleeps: what a stopped one does, without anybody who has to wake it.
        time.sleep(max(end_s - self._since_first_s(), 0.0))
        self._plan_freeze(end_s)

    def _freeze_for_good(self) -> None:
        ends = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        signal.sigwait(ends)
        self.write_log()
        # The loop must not go on: it would answer what has come in since.
        os._exit(0)

    def _since_first_s(self) -> float:
        assert self._first_ns is not None  # stalls are planned by the first request
        return (time.monotonic_ns() - self._first_ns) / NS_PER_S


class Connection(asyncio.Protocol):
    """One connection. Answers go to the kernel by ``os.write``: the transport would hold them
    back until the end of the loop's turn, and the log would be wrong by that."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None  # uvloop's are no subclass of asyncio's
        self._fd = -1
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        # The collector is off: the circle of connection and parser has to be broken by hand.
        self._parser = self._transport = None
        self._fd = -1

    def on_url(self, url: bytes) -> None:
        self._url += url  # a long one may come in parts

    def on_message_complete(self) -> None:
        url, self._url = self._url, b""
        service = self._service
        if url == b"/log":
            service.write_log()
            self.send(ANSWER)
            return
        session = NO_SESSION
        if service.log is not None and (found := url.rfind(_SESSION)) >= 0:
            number = url[found + len(_SESSION) :]
            session = int(number) if number.isdigit() else NO_SESSION
        service.accept(self, session)

    def send(self, answer: bytes) -> bool:
        """Give an answer to the kernel; False when the client has gone."""
        if self._fd < 0:
            return False
        try:
            sent = os.write(self._fd, answer)
        except (BlockingIOError, ConnectionError):
            sent = 0
        if sent != len(answer) and self._transport is not None:
            # A client that does not read what it asked for is no client of ours.
            self._transport.abort()
        return sent == len(answer)


async def serve(service: Service, port: int) -> None:
    """Listen, say where, and serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def end() -> None:
        if not ended.done():
            ended.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    server = await loop.create_server(
        lambda: Connection(service), "127.0.0.1", port, backlog=BACKLOG
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # The collector would stand still as nobody asked it to.
    gc.collect()
    gc.freeze()
    gc.disable()
    await ended
    server.close()


def parser() -> argparse.ArgumentParser:
    """Flags of the server."""
    flags = argparse.ArgumentParser(
        prog="python -m palier.selftest.server", description="A server with a known latency law."
    )
    flags.add_argument("--port", type=int, default=0, help="0 lets the kernel choose (default)")
    flags.add_argument("--law", default="constant:0", help="e.g. lognormal:5ms:0.5")
    flags.add_argument("--servers", type=int, default=0, metavar="C", help="queue for C servers")
    flags.add_argument("--freeze", metavar="LENGTH/PERIOD", help="e.g. 2s/20s")
    flags.add_argument("--slow-start", metavar="TIME", help="from ten times the law to the law")
    flags.add_argument("--stop-answering-at", metavar="TIME", help="freeze for good")
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--log", type=Path, metavar="FILE", help=".npy or .csv")
    return flags


def stalls_of(options: argparse.Namespace) -> Stalls:
    """The stalls that the flags ask for."""
    freeze_s, every_s = parse_freeze(options.freeze) if options.freeze else (None, 0.0)
    return Stalls(
        freeze_s=freeze_s,
        every_s=every_s,
        slow_start_s=parse_duration(options.slow_start) if options.slow_start else None,
        stop_at_s=parse_duration(options.stop_answering_at) if options.stop_answering_at else None,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        law, stalls = parse_law(options.law), stalls_of(options)
    except PalierError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    loop = _new_loop()
    service = Service(
        loop,
        law=law,
        servers=options.servers,
        stalls=stalls,
        seed=options.seed,
        log_path=options.log,
    )
    serving = loop.create_task(serve(service, options.port))
    serving.add_done_callback(lambda _: loop.stop())
    loop.run_forever()
    service.write_log()
    if serving.done():
        serving.result()
    return 0


def _new_loop() -> asyncio.AbstractEventLoop:
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    sys.exit(main())
