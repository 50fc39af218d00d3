"""The smallest application that has what the stack needs of one: a factory and readiness."""

from __future__ import annotations

import os
import sys
from typing import Any


def create_app() -> Any:
    """Ready at once; ``TINY_APP`` set to ``dies`` or ``never_ready`` changes that."""
    behaviour = os.environ.get("TINY_APP", "ready")
    if behaviour == "dies":
        sys.stderr.write("tiny app: the flux capacitor is missing\n")
        sys.stderr.flush()
        os._exit(3)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status = 503 if behaviour == "never_ready" else 200
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    return app
