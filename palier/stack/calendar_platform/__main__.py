"""``python -m palier.stack.calendar_platform --port P --seed N``; SIGTERM and Ctrl-C end it.

With ``WEBHOOK_SECRET`` in the environment, receivers of webhooks whose path ends in the id of an
endpoint verify what they are sent; with ``PAYMENT_SECRET`` the card processor does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from palier.stack.calendar_platform.server import CalendarPlatform


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0 then, 5 when the port cannot be had."""
    parser = argparse.ArgumentParser(prog="palier.stack.calendar_platform")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 lets the kernel choose")
    parser.add_argument("--seed", type=int, default=1, help="decides what is in the feeds")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(options.host, options.port, options.seed))
    except OSError as error:
        sys.stderr.write(f"error: cannot listen on {options.host}:{options.port}: {error}\n")
        return 5
    return 0


async def _serve(host: str, port: int, seed: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    platform = CalendarPlatform(
        seed,
        webhook_secret=os.environ.get("WEBHOOK_SECRET"),
        payment_secret=os.environ.get("PAYMENT_SECRET"),
    )
    server = await platform.start(host, port)
    address, chosen = server.sockets[0].getsockname()[:2]
    sys.stderr.write(f"calendar platform ready: http://{address}:{chosen}\n")
    sys.stderr.flush()
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    sys.exit(main())
