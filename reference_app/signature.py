"""Signatures of what is sent and of what comes in: HMAC SHA-256 over time and body (B-46). Pure.

``v1=`` and the hex of HMAC-SHA-256 of ``TIMESTAMP.BODY``, the bytes of the body as they are sent.
The timestamp is signed, too, so that who records a message cannot send it again much later.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

TOLERANCE_S = 300
"""A timestamp off by more is refused, in either direction: clocks differ, and a replay is old."""

_SCHEME = "v1="


def endpoint_secret(root: str, endpoint_id: UUID, version: int) -> str:
    """The secret of an endpoint: kept nowhere, made anew whenever it is needed.

    Args:
        root: ``WEBHOOK_SECRET``.
        version: Counted up when a secret is to be replaced; the old one is worth nothing then.
    """
    text = f"{endpoint_id}:{version}"
    return "whsec_" + hmac.digest(root.encode(), text.encode(), hashlib.sha256).hex()


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of a message.

    Args:
        timestamp: Unix seconds.
    """
    signed = b"%d." % timestamp + body
    return _SCHEME + hmac.digest(secret.encode(), signed, hashlib.sha256).hex()


def why_refused(
    secret: str, *, timestamp: str, signature: str, body: bytes, now: float
) -> str | None:
    """What is wrong with a message that came in; None when it is genuine and of now.

    Args:
        timestamp: As it stands in the message.
        signature: As it stands in the message.
        now: Unix seconds.
    """
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 15):
        return "the timestamp is not a number of seconds"
    expected = sign(secret, int(timestamp), body)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return "the signature is not ours"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return f"the timestamp is off by more than {TOLERANCE_S} s"
    return None
