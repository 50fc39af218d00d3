"""What an owner tells guests of a house, in French and in English (B-103, B-108): frozen pools.

Of each topic some wordings, each in both languages; the owners of a real service copy from one
another as well.
"""

from __future__ import annotations

from functools import cache

from seed.names import pool


@cache
def topics() -> dict[str, tuple[tuple[str, str], ...]]:
    """Wordings by topic, French and English; a topic is a column without its language."""
    wordings: dict[str, tuple[tuple[str, str], ...]] = {}
    for line in pool("instructions.txt"):
        topic, french, english = line.split("\t")
        wordings[topic] = (*wordings.get(topic, ()), (french, english))
    return wordings


@cache
def notes() -> tuple[str, ...]:
    """An owner's own notes: what the padding columns hold (B-98)."""
    return pool("notes.txt")
