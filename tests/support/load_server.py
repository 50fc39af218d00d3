"""A small HTTP server that misbehaves on request; prints its port, then serves until killed.

    python load_server.py LOG

Paths: ``/ok`` answers at once; ``/slow/MS`` after so many milliseconds; ``/status/CODE`` with that
status; ``/freeze`` never; ``/half`` half a body and then nothing; ``/cut`` half a body and the end
of the connection; ``/close`` no byte; ``/reset`` a reset; ``/wrong`` a body that is not JSON.
LOG gets one line a request: method and path.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import TextIO

BODY = b'{"items":[1,2,3],"token":"t"}'


def answer(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        f"X-Request-Id: r-1\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: TextIO) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            log.write(f"{method} {path}\n")
            log.flush()
            if not await react(path.strip("/").split("/"), writer):
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


async def react(words: list[str], writer: asyncio.StreamWriter) -> bool:
    """Answer one request; False ends the connection."""
    kind = words[0]
    if kind == "slow":
        await asyncio.sleep(int(words[1]) / 1000)
        writer.write(answer(200, BODY))
    elif kind == "status":
        writer.write(answer(int(words[1]), BODY))
    elif kind == "wrong":
        writer.write(answer(200, b"<html>"))
    elif kind == "freeze":
        await asyncio.sleep(3600)
    elif kind in ("half", "cut"):
        writer.write(answer(200, BODY)[: -len(BODY) // 2])
        await writer.drain()
        if kind == "half":
            await asyncio.sleep(3600)
        return False
    elif kind == "close":
        return False
    elif kind == "reset":
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False
    else:
        writer.write(answer(200, BODY))
    await writer.drain()
    return True


async def main(log_path: str, host: str = "127.0.0.1") -> None:
    with open(log_path, "w") as log:  # noqa: PTH123  a script without our package
        server = await asyncio.start_server(lambda r, w: serve(r, w, log), host, 0, backlog=1024)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
