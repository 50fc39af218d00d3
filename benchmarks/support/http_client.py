"""The cheapest honest HTTP client: what it costs is taken from neither side that is compared.

    python benchmarks/support/http_client.py HOST PORT CONNECTIONS SECONDS < requests.json

Reads a JSON list of requests, each a string as it goes over the wire, from stdin; keeps that many
connections busy with them, one after the other; prints one JSON object: answers by status, the
seconds it took, and its own CPU seconds. A closed loop on purpose: it asks for the peak.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import uvloop


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the one before is complete."""

    def __init__(self, requests: Iterator[bytes], statuses: Counter[int]) -> None:
        self._requests = requests
        self._statuses = statuses
        self._received = bytearray()
        self._wanted = 0
        self.stopped = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._wanted == 0:
            head_end = self._received.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = bytes(self._received[:head_end]).lower()
            self._wanted = head_end + 4 + _content_length(head)
            self._statuses[int(head[9:12])] += 1
        if len(self._received) >= self._wanted:
            self._received.clear()
            self._wanted = 0
            if self.stopped:
                self._transport.close()
            else:
                self._transport.write(next(self._requests))

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None or not self.stopped:
            self.closed.set_exception(error or ConnectionError("the server hung up"))
        else:
            self.closed.set_result(None)


def _content_length(head: bytes) -> int:
    _, name, rest = head.partition(b"\r\ncontent-length:")
    if not name:
        raise ValueError(f"an answer without a length: {head!r}")
    return int(rest.partition(b"\r\n")[0])


async def drive(
    host: str, port: int, connections: int, seconds: float, texts: list[str]
) -> dict[str, Any]:
    """Keep the connections busy for that long."""
    requests = itertools.cycle([text.encode() for text in texts])
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    began_cpu = time.process_time()
    opened = [
        (await loop.create_connection(lambda: Connection(requests, statuses), host, port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    statuses.clear()
    await asyncio.sleep(seconds)
    counted = dict(statuses)
    took_s = time.perf_counter() - began
    for connection in opened:
        connection.stopped = True
    await asyncio.gather(*(connection.closed for connection in opened))
    return {"statuses": counted, "seconds": took_s, "cpu_s": time.process_time() - began_cpu}


def main() -> None:
    host, port, connections, seconds = sys.argv[1:]
    texts = json.load(sys.stdin)
    result = uvloop.run(drive(host, int(port), int(connections), float(seconds), texts))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
