"""A receiver of alerts: keeps what it was sent, and refuses as long as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reference_app.monitoring.telling import OPERATOR
from reference_app.signature import endpoint_secret, why_refused


@dataclass
class Receiver:
    """What came in.

    Attributes:
        url: Where it listens.
        secret: Root key of the sender.
        refuses: Whether it answers 500.
        accepted: Bodies, in the order they came.
        deliveries: The sender's name of each.
        refused: Requests it answered 500.
        forged: Requests whose signature was not right.
    """

    url: str
    secret: str
    refuses: bool = False
    accepted: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    refused: int = 0
    forged: int = 0

    def types(self, rule: str) -> list[str]:
        """What was told of a rule."""
        return [each["type"] for each in self.accepted if each["data"]["rule"] == rule]


@contextmanager
def alert_receiver(secret: str) -> Iterator[Receiver]:
    """Listen on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refusal = why_refused(
                endpoint_secret(secret, OPERATOR, 1),
                timestamp=self.headers["Palier-Timestamp"],
                signature=self.headers["Palier-Signature"],
                body=body,
                now=time.time(),
            )
            authentic = refusal is None
            if not authentic:
                receiver.forged += 1
            elif receiver.refuses:
                receiver.refused += 1
            else:
                receiver.accepted.append(json.loads(body))
                receiver.deliveries.append(self.headers["Palier-Delivery"])
            self.send_response(500 if receiver.refuses or not authentic else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/alerts", secret)
    thread = threading.Thread(target=server.serve_forever, name="alert receiver", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
