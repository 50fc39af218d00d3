"""Structured logs: one JSON object a line, on stderr."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

from reference_app.request_context import origin

_GUEST_TOKEN = re.compile(r"(/guest/+)[^/]+", re.IGNORECASE)


class JsonFormatter(logging.Formatter):
    """``{"at", "level", "logger", "message", "request_id"?, "error"?}``, and what
    ``extra["fields"]`` adds. The id is that of the request which is being answered."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **({"request_id": request_id} if (request_id := origin.get().request_id) else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(level: str, *, access_log: bool) -> None:
    """Send the logs of the application and of its pool to stderr.

    Args:
        level: Lowest level that is written.
        access_log: Writes one line a request whatever ``level`` says.
    """
    for name, own_level in (
        ("reference_app", level),
        ("reference_app.access", "INFO" if access_log else "WARNING"),
        ("psycopg.pool", level),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(own_level)
        if name != "reference_app.access" and not logger.handlers:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(JsonFormatter())
            logger.addHandler(handler)
            logger.propagate = False


def without_secrets(path: str) -> str:
    """A request's path as a log may show it: a guest's token opens a sheet (B-80)."""
    return _GUEST_TOKEN.sub(r"\1...", path)
