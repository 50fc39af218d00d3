"""A checksum of rows that does not depend on their order, from the generator or the database.

Of each row's COPY line (``tables.py``) the first 8 bytes of its SHA-256 are taken as a number; a
table's sum is the number of lines and the sum of those numbers modulo 2**64. Sums of parts add up
to the sum of the whole, so any number of processes gives the same. The dataset's checksum is the
SHA-256 over all tables' names, counts and sums. It finds every change of rows that happens by
accident; it is no defence against somebody who wants a collision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seed.spec import GENERATOR_VERSION

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class LineSum:
    """Checksum of a bag of lines; the neutral element is ``LineSum()``."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: LineSum) -> LineSum:
        return LineSum(self.rows + other.rows, (self.total + other.total) & _MASK)


def line_hash(line: bytes) -> int:
    """64-bit hash of one COPY line without its line end."""
    return int.from_bytes(hashlib.sha256(line).digest()[:8], "little")


def sum_lines(lines: Iterable[bytes]) -> LineSum:
    """Checksum of the lines given, in any order."""
    rows = total = 0
    for line in lines:
        rows += 1
        total += line_hash(line)
    return LineSum(rows, total & _MASK)


def add_sums(left: Mapping[str, LineSum], right: Mapping[str, LineSum]) -> dict[str, LineSum]:
    """Table by table."""
    return {
        table: left.get(table, LineSum()) + right.get(table, LineSum())
        for table in sorted({*left, *right})
    }


def dataset_checksum(sums: Mapping[str, LineSum]) -> str:
    """One SHA-256 (64 hex digits) for the sums of all tables."""
    digest = hashlib.sha256(f"palier dataset {GENERATOR_VERSION}\n".encode())
    for table in sorted(sums):
        digest.update(f"{table} {sums[table].rows} {sums[table].total:016x}\n".encode())
    return digest.hexdigest()
