"""Text that came from outside, made fit to print."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+(?=@)")


def clean(text: str) -> str:
    """``text`` without what XML forbids, terminals obey or readers are misled by.

    Control characters, lone surrogates and direction overrides become U+FFFD.
    """
    return _UNPRINTABLE.sub("�", text)


def one_line(value: object) -> str:
    """Any value as one clean line; None is a dash."""
    if value is None:
        return "–"
    return clean(" ".join(str(value).split()))


def without_passwords(text: str) -> str:
    """URLs keep their host and lose ``user:password``."""
    return _CREDENTIALS.sub("***", text)


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters, with an ellipsis when something was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
