"""Command line: ``python -m palier.listeners --url URL --accounts FILE --count N --out FILE``.

Prints a line when all sockets are open, listens until SIGTERM or SIGINT, and ends with 0. It ends
with 1 when they could not all be opened in time; the reason is on standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx
import uvloop

from palier.listeners.accounts import Account, Tokens, read_accounts
from palier.listeners.listener import Listener
from palier.listeners.notes import Began, Ended, Notebook

OPENED_AT_ONCE: Final = 64
"""Handshakes in progress: enough to be quick, too few to fill the server's queue of connections."""

FLUSH_EVERY_S: Final = 1.0

READY_LINE: Final = "listeners open"


async def listen(
    url: str,
    *,
    accounts: Sequence[Account],
    count: int,
    out: BinaryIO,
    within_s: float,
    stop: asyncio.Event,
) -> str:
    """Open the sockets and keep them open.

    Args:
        url: Of the service.
        accounts: Who listens, one after the other and over again.
        count: Sockets.
        out: Gets the notes.
        within_s: Longest time until all are open.
        stop: Ends it.

    Returns:
        Why it could not begin; empty when it could.
    """
    notebook = Notebook(out)
    notebook.write(Began(count))
    async with httpx.AsyncClient(base_url=url) as client:
        tokens, opening = Tokens(client), asyncio.Semaphore(OPENED_AT_ONCE)
        listeners = [
            Listener(
                index,
                account=accounts[index % len(accounts)],
                url=url,
                tokens=tokens,
                notebook=notebook,
                opening=opening,
            )
            for index in range(count)
        ]
        running = [asyncio.create_task(listener.run()) for listener in listeners]
        all_open = asyncio.gather(*(listener.opened.wait() for listener in listeners))
        wishing = asyncio.create_task(stop.wait())
        any_of: list[asyncio.Future[Any]] = [all_open, wishing, *running]
        await asyncio.wait(any_of, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        problem = ""
        if all_open.done():
            sys.stdout.write(f"{count} {READY_LINE}\n")
            sys.stdout.flush()
            await _until(stop, running, notebook)
        else:
            all_open.cancel()
            if not stop.is_set():
                closed = sum(not listener.opened.is_set() for listener in listeners)
                problem = f"{closed} of {count} sockets did not open within {within_s:g} s"
        wishing.cancel()
        for task in running:
            task.cancel()
        for task in running:
            with suppress(asyncio.CancelledError):
                await task
        notebook.write(Ended(time.time_ns() // 1000))
        notebook.flush()
        return problem


async def _until(
    stop: asyncio.Event, running: Sequence[asyncio.Task[None]], notebook: Notebook
) -> None:
    """Until somebody wants the end, or a listener ended: that is a mistake of ours, and no run."""
    while not stop.is_set() and not any(task.done() for task in running):
        try:
            async with asyncio.timeout(FLUSH_EVERY_S):
                await stop.wait()
        except TimeoutError:
            notebook.flush()


async def _run(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if options.end_with_input:
        # Whoever holds the other end of the pipe is gone when it closes, however it went.
        loop.add_reader(sys.stdin.fileno(), _heed_input, stop)
    with options.out.open("wb") as out:
        problem = await listen(
            options.url,
            accounts=read_accounts(options.accounts),
            count=options.count,
            out=out,
            within_s=options.within,
            stop=stop,
        )
    if problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1
    return 0


def _heed_input(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


def _raise_limit() -> None:
    """A socket is an open file; we may have as many as the hard limit says."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when it ended as wanted, 1 when it could not begin."""
    parser = argparse.ArgumentParser(prog="python -m palier.listeners", description=__doc__)
    parser.add_argument("--url", required=True, help="of the service: http://host:port")
    parser.add_argument(
        "--accounts", required=True, type=Path, help="file: a name, a tab and a password a line"
    )
    parser.add_argument("--count", required=True, type=int, help="sockets, over all accounts")
    parser.add_argument("--out", required=True, type=Path, help="file of what they saw")
    parser.add_argument(
        "--within", type=float, default=60.0, help="longest time until all are open, in seconds"
    )
    parser.add_argument(
        "--end-with-input", action="store_true", help="end when standard input does"
    )
    options = parser.parse_args(arguments)
    _raise_limit()
    return uvloop.run(_run(options))


if __name__ == "__main__":
    sys.exit(main())
