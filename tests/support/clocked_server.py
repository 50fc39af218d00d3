"""A server that keeps its own log of when it answered whom; prints its port, then serves.

    python clocked_server.py LOG

Answers every request at once. LOG gets ``<path> <instant>`` for each, the instant of
CLOCK_MONOTONIC in nanoseconds at which the answer was handed to the kernel; it is written when the
server is asked for ``/log``, so that writing it slows nothing down.
"""

from __future__ import annotations

import asyncio
import sys
import time

BODY = b'{"ok":true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Connection(asyncio.Protocol):
    """One connection; requests have no body."""

    def __init__(self, answered: list[tuple[str, int]], log_path: str) -> None:
        self._answered = answered
        self._log_path = log_path
        self._text = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._text += data
        while (end := self._text.find(b"\r\n\r\n")) >= 0:
            path = self._text.split(b" ", 2)[1].decode()
            self._text = self._text[end + 4 :]
            if path == "/log":
                self._write_log()
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(ANSWER)
            self._answered.append((path, time.monotonic_ns()))

    def _write_log(self) -> None:
        with open(self._log_path, "w") as log:  # noqa: PTH123  a script without our package
            log.writelines(f"{path} {instant}\n" for path, instant in self._answered)


async def main(log_path: str) -> None:
    answered: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(answered, log_path), "127.0.0.1", 0, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
