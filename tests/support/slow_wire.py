"""A wire of a given length: passes bytes on in both directions, each a fixed time later.

python slow_wire.py TARGET_PORT DELAY_S      prints its own port
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(65_536):
        loop.call_later(delay_s, writer.write, data)
    loop.call_later(delay_s, writer.close)


async def main(target_port: int, delay_s: float) -> None:
    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target_port)
        with suppress(ConnectionError):  # either end may go first
            await asyncio.gather(carry(reader, back, delay_s), carry(there, writer, delay_s))

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
