"""A loader's line as text, made piece by piece.

A busy line has thousands of buckets and positions. Written in one go it would hold up the loop for
five milliseconds, twice a second, and every request that is due meanwhile would be sent late.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

PIECE: Final = {"histograms": 1, "exemplars": 20, "ledger": 200}
"""Entries of a piece, by key. A histogram has up to some hundreds of buckets itself."""

POSITIONS: Final = 500
"""Numbers and pairs in a piece. All pieces take some tenths of a millisecond at most."""

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def pieces(line: dict[str, Any]) -> Iterator[str]:
    """The text of a line, with its line end; the pieces joined are one JSON object."""
    before = "{"
    for key, value in line.items():
        yield f"{before}{_encode(key)}:"
        before = ","
        if key in PIECE:
            yield from _of_list(value, PIECE[key])
        elif key == "positions":
            begin = "{"
            for name, visits in value.items():
                yield f"{begin}{_encode(name)}:"
                begin = ","
                yield from _of_list(visits, POSITIONS)
            yield "}"
        else:
            yield _encode(value)
    yield "}\n"


def _of_list(values: list[Any], at_a_time: int) -> Iterator[str]:
    left = iter(values)
    before = "["
    while some := list(islice(left, at_a_time)):
        yield before + _encode(some)[1:-1]
        before = ","
    yield "]" if before == "," else "[]"
