"""A text as words and what stands between them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CHUNK = re.compile(r"\S+")
_WORD = re.compile(r"\w[\w\u0300-\u036f]*")

_NOT_PROSE = ("://", "@", "\\", "&", "`", "=", "<", ">", "{", "}", "#")
"""What has one of these inside is an address, code or markup, not words."""

SPACES = frozenset(" \u00a0\u202f")
"""Between words of one line; the last two do not break."""

_ENDS = frozenset('.!?…:;\n\r\u2028\u2029«»"“”()[]•*')
"""A sentence may begin after one of these."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a chunk that is none.

    Attributes:
        text: As written.
        lower: In small letters, with the apostrophe straight.
        start: Where it begins in the text.
        gap: What stands between it and the word before; for the first, all before it.
        is_plain: It consists of letters; numbers, addresses and code do not.
    """

    text: str
    lower: str
    start: int
    gap: str
    is_plain: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def follows(self) -> bool:
        """It stands on the line of the word before, with nothing but space between them."""
        return self.gap != "" and SPACES.issuperset(self.gap)

    @property
    def is_elided_onto(self) -> bool:
        """The word before leans on it: ``l'`` on ``homme``."""
        return self.gap in ("'", "’")

    @property
    def is_hyphened(self) -> bool:
        """It belongs to the word before: ``là`` in ``celui-là``."""
        return self.gap in ("-", "\u2010", "\u2011")

    @property
    def begins_sentence(self) -> bool:
        return self.start == len(self.gap) or not _ENDS.isdisjoint(self.gap)


NOTHING = Word("", "", 0, "", is_plain=False)
"""Stands before the first word and after the last one."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its words.

    Attributes:
        raw: The text.
        words: Its words, in order.
        tail: What follows the last word.
    """

    raw: str
    words: tuple[Word, ...]
    tail: str

    def at(self, place: int) -> Word:
        """The word of this place; ``NOTHING`` beyond both ends."""
        return self.words[place] if 0 <= place < len(self.words) else NOTHING

    def gap_after(self, place: int) -> str:
        """What stands between a word and the one after it."""
        return self.words[place + 1].gap if place + 1 < len(self.words) else self.tail


def read(raw: str) -> Text:
    """Split a text; linear in its length."""
    words: list[Word] = []
    end = 0
    for chunk in _CHUNK.finditer(raw):
        text = chunk.group()
        if any(sign in text for sign in _NOT_PROSE) or text.startswith((":", "/")):
            words.append(Word(text, text, chunk.start(), raw[end : chunk.start()], is_plain=False))
            end = chunk.end()
            continue
        for found in _WORD.finditer(text):
            start = chunk.start() + found.start()
            word = found.group()
            words.append(Word(word, word.lower(), start, raw[end:start], word.isalpha()))
            end = start + len(word)
    return Text(raw, tuple(words), raw[end:])
