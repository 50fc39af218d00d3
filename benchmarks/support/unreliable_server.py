"""A server that does everything wrong, by chance and repeatably; prints its port, then serves.

    python unreliable_server.py SEED WRONG LOG

Of all requests the share WRONG gets one of the treatments of ``TREATMENTS``; the rest is answered
right, at once or a little later. LOG gets one line a request, before anything is sent back: its
path and what it gets. A line that was written is there even when the server is killed.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
from typing import TextIO

BODY = b'{"ok":true}'
SLOW_S = (0.0, 0.15)

TREATMENTS = (
    "status",  # 500
    "wrong",  # not JSON
    "late",  # long after the client's patience
    "never",
    "half",  # half a body, then nothing
    "cut",  # half a body, then the end of the connection
    "close",  # no byte
    "reset",
    "longer",  # the length says more than there is
    "shorter",  # the length says less than there is: the rest lies in front of the next answer
    "garbage",  # no HTTP
)


def answer(status: int, body: bytes, length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        said,
        body,
    )


class Treating:
    """Decides what each request gets, and notes it."""

    def __init__(self, seed: int, wrong: float, log: TextIO) -> None:
        self._chance = random.Random(seed)
        self._wrong = wrong
        self._log = log

    def choose(self, path: str) -> tuple[str, float]:
        """Treatment of a request, and how long it waits for it."""
        chance = self._chance
        kind = chance.choice(TREATMENTS) if chance.random() < self._wrong else "right"
        wait_s = chance.uniform(*SLOW_S) if chance.random() < 0.3 else 0.0
        self._log.write(f"{path} {kind}\n")
        self._log.flush()
        return kind, wait_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                kind, wait_s = self.choose(head.split(b" ", 2)[1].decode())
                if wait_s:
                    await asyncio.sleep(wait_s)
                if not await treat(kind, writer):
                    return
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return
        finally:
            writer.close()


async def treat(kind: str, writer: asyncio.StreamWriter) -> bool:
    """Do to one request what was chosen; False ends the connection."""
    if kind in ("late", "never"):
        await asyncio.sleep(3.0 if kind == "late" else 3600.0)
    if kind == "close":
        return False
    if kind == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False
    writer.write(
        {
            "status": answer(500, BODY),
            "wrong": answer(200, b"<html>"),
            "half": answer(200, BODY)[: -len(BODY) // 2],
            "cut": answer(200, BODY)[: -len(BODY) // 2],
            "longer": answer(200, BODY, length=len(BODY) + 7),
            "shorter": answer(200, BODY + b"surplus", length=len(BODY)),
            "garbage": b"220 mail.example ESMTP\r\n\r\n",
        }.get(kind, answer(200, BODY))
    )
    await writer.drain()
    if kind == "half":
        await asyncio.sleep(3600.0)
    return kind != "cut"


async def main(seed: int, wrong: float, log_path: str) -> None:
    with open(log_path, "w") as log:  # noqa: PTH123  a script without our package
        treating = Treating(seed, wrong, log)
        server = await asyncio.start_server(treating.serve, "127.0.0.1", 0, backlog=4096)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
