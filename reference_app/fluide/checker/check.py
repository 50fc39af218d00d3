"""All rules over a text, and the text that follows from them.

Rules see a text as it stands. What one corrects may show another something, so they look again at
the corrected text, until nothing is found; what a later look finds is told in the places of the
text that was written. So the corrected text is one in which a second check finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from reference_app.fluide.checker import agreement, elision, homophones, spelling, typography
from reference_app.fluide.checker.rules import Issue, Look
from reference_app.fluide.checker.tokens import Text, read

TEXT_CHARS_MAX = 10_000
"""The longest text that is checked; plans allow less (``learner_plans``)."""

LOOKS_MAX = 6
"""A look beyond the third is rare; a bound, so that no pair of rules can go on for ever."""

_BY_WORD: dict[str, tuple[Look, ...]] = {}
for _rules in (
    spelling.BY_WORD,
    homophones.BY_WORD,
    elision.BY_WORD,
    agreement.BY_WORD,
):
    for _word, _looks in _rules.items():
        _BY_WORD[_word] = (*_BY_WORD.get(_word, ()), *_looks)


class Checked(msgspec.Struct, frozen=True):
    """A text after the check.

    Attributes:
        corrected: With every suggestion in its place.
        issues: What was found, in the order of the text; places do not overlap.
    """

    corrected: str
    issues: tuple[Issue, ...]


def check(raw: str) -> Checked:
    """Check a text. The same text always gives the same; linear in its length.

    Raises:
        ValueError: It is longer than ``TEXT_CHARS_MAX``.
    """
    if len(raw) > TEXT_CHARS_MAX:
        raise ValueError(f"{len(raw)} characters; at most {TEXT_CHARS_MAX} are checked")
    issues: tuple[Issue, ...] = ()
    corrected = raw
    for _ in range(LOOKS_MAX):
        found = _look(read(corrected))
        if not found:
            break
        issues = _told_of_the_original(raw, issues, found)
        corrected = apply(raw, issues)
    return Checked(corrected, issues)


def apply(raw: str, issues: Iterable[Issue]) -> str:
    """The text with every suggestion in its place.

    Args:
        raw: The text that was checked.
        issues: In the order of the text, without overlaps.
    """
    parts: list[str] = []
    end = 0
    for one in issues:
        parts += (raw[end : one.start], one.suggestion)
        end = one.end
    parts.append(raw[end:])
    return "".join(parts)


def _look(text: Text) -> list[Issue]:
    """What the rules find; of two that overlap, the one that begins first and is longer."""
    found = list(typography.look(text))
    for place, word in enumerate(text.words):
        if word.is_plain:
            for look in _BY_WORD.get(word.lower, ()):
                one = look(text, place)
                if one is not None:
                    found.append(one)
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Issue] = []
    for one in found:
        if not kept or one.start >= max(kept[-1].end, kept[-1].start + 1):
            kept.append(one)
    return kept


def _told_of_the_original(
    raw: str, before: Sequence[Issue], found: Iterable[Issue]
) -> tuple[Issue, ...]:
    """Findings of the text as corrected so far, told in the places of the original.

    A finding that touches an earlier correction becomes one with it.
    """
    told: list[Issue] = []
    waiting = list(reversed(before))
    shift = 0  # place in the corrected text minus place in the original, behind what is done
    for one in found:
        while waiting and waiting[-1].end + shift + _growth(waiting[-1]) <= one.start:
            done = waiting.pop()
            told.append(done)
            shift += _growth(done)
        start, end, text_end = one.start - shift, one.end - shift, one.end
        head, tail = "", ""
        while waiting and waiting[-1].start + shift < text_end:
            other = waiting.pop()
            there = other.start + shift  # where the correction stands in the corrected text
            if there < one.start:
                head = other.suggestion[: one.start - there]
            if other.start < start:
                start = other.start
            there_end = there + len(other.suggestion)
            if there_end > text_end:
                tail = other.suggestion[len(other.suggestion) - (there_end - text_end) :]
                end = other.end
            shift += _growth(other)
            if there_end <= text_end:
                end = text_end - shift
        suggestion = head + one.suggestion + tail
        if raw[start:end] != suggestion:  # else one rule has undone the other
            told.append(Issue(one.rule, start, end, raw[start:end], suggestion, one.message))
    told += reversed(waiting)
    return tuple(told)


def _growth(one: Issue) -> int:
    return len(one.suggestion) - (one.end - one.start)
