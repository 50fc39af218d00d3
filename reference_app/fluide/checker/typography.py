"""Signs and the spaces around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reference_app.fluide.checker.lexicon import listed
from reference_app.fluide.checker.rules import Issue, at, issue
from reference_app.fluide.checker.tokens import SPACES, Text

NARROW: Final = "\u202f"
WIDE: Final = "\u00a0"

_DOUBLE: Final = {";": NARROW, "!": NARROW, "?": NARROW, ":": WIDE}

_ABBREVIATIONS: Final = frozenset(
    listed(
        """
        abr adj adv ann apr art av avr boul chap coll cf cit déc dim dr éd env etc ex fasc févr
        fig ibid janv jeu juil lun mar max mer min mlle mme mm mr nov nb obs oct op par pl pp
        réf rév sam sept st ste suiv sup tél trad var vén vol
        """
    )
)

_MONTHS: Final = frozenset(
    listed(
        """
        janvier février mars avril mai juin juillet août septembre octobre novembre décembre
        """
    )
)


def look(text: Text) -> Iterator[Issue]:
    """All of it over a text."""
    place = 0
    for number in range(len(text.words) + 1):
        gap = text.words[number].gap if number < len(text.words) else text.tail
        if gap and gap != " ":
            for found in _signs(text, place, place + len(gap)):
                if found is not None:
                    yield found
        if number < len(text.words):
            word = text.words[number]
            place = word.end
            for one in (_capital(text, number), _month(text, number)):
                if one is not None:
                    yield one


def _signs(text: Text, start: int, end: int) -> Iterator[Issue | None]:
    """What is wrong between two words."""
    raw = text.raw
    place = start
    while place < end:
        sign = raw[place]
        before = raw[place - 1] if place else "\n"
        if sign == " ":
            behind = place
            while behind < end and raw[behind] == " ":
                behind += 1
            yield _spaces(text, place, behind, before)
            place = behind
            continue
        after = raw[place + 1] if place + 1 < len(raw) else "\n"
        if sign == ",":
            if _is_letter(before) and _is_letter(after):
                yield at(
                    text,
                    "espace-apres-virgule",
                    place,
                    place + 1,
                    ", ",
                    "Une virgule est suivie d'une espace.",
                )
        elif sign in _DOUBLE:
            yield _double(text, place, before, after)
        elif sign == "«" and _is_letter(after):
            yield at(
                text,
                "guillemets",
                place,
                place + 1,
                "«" + WIDE,
                "Une espace insécable suit le guillemet ouvrant.",
            )
        elif sign == "»" and not before.isspace():
            yield at(
                text,
                "guillemets",
                place,
                place + 1,
                WIDE + "»",
                "Une espace insécable précède le guillemet fermant.",
            )
        elif sign in ".…":
            behind = place
            while behind < end and raw[behind] in ".…":
                behind += 1
            yield _dots(text, place, behind, before)
            place = behind
            continue
        place += 1


def _spaces(text: Text, start: int, end: int, before: str) -> Issue | None:
    raw = text.raw
    if before in "\n\r" or end == len(raw) or raw[end] in "\n\r":
        return None  # an indented line, or what nobody sees
    sign = raw[end]
    behind = raw[end + 1] if end + 1 < len(raw) else "\n"
    if sign == "," and (before.isalnum() or before in ")»"):
        return at(text, "espace-avant-virgule", start, end, "", "Pas d'espace avant une virgule.")
    if sign == "." and behind.isspace() and _is_letter(before):
        return at(text, "espace-avant-virgule", start, end, "", "Pas d'espace avant un point.")
    if sign == ")" and _is_letter(before):
        return at(
            text, "parentheses", start, end, "", "Pas d'espace avant une parenthèse fermante."
        )
    if before == "(" and _is_letter(sign):
        return at(
            text, "parentheses", start, end, "", "Pas d'espace après une parenthèse ouvrante."
        )
    if end - start > 1:
        return at(text, "espaces-multiples", start, end, " ", "Une espace suffit.")
    return None


def _double(text: Text, place: int, before: str, after: str) -> Issue | None:
    """``Quoi?``: a space that does not break stands before the sign."""
    sign = text.raw[place]
    if not (_is_letter(before) or before in ")»"):
        return None
    if not (after.isspace() or (sign in "!?" and after in '!?»)"”')):
        return None
    kind = "insécable" if sign == ":" else "fine insécable"
    return at(
        text,
        "espace-avant-signe-double",
        place,
        place + 1,
        _DOUBLE[sign] + sign,
        f"Une espace {kind} précède « {sign} ».",
    )


def _dots(text: Text, start: int, end: int, before: str) -> Issue | None:
    dots = text.raw[start:end]
    word = text.raw[max(start - 4, 0) : start].lower()
    if dots in ("...", "…") and word.endswith("etc") and not _is_letter(word[:-3]):
        return at(text, "etc", start, end, ".", "« etc. » ne prend qu'un point.")
    if dots == "..." and not before.isspace():
        return at(
            text,
            "points-de-suspension",
            start,
            end,
            "…",
            "Les points de suspension sont un seul signe.",
        )
    return None


def _capital(text: Text, number: int) -> Issue | None:
    """A sentence begins with a capital; only behind a point, as ``Oh ! dit-il`` is right."""
    word = text.words[number]
    if number == 0 or not word.is_plain or len(word.text) < 2 or not word.text.islower():
        return None
    if word.gap[0] != "." or len(word.gap) < 2 or not SPACES.issuperset(word.gap[1:]):
        return None
    before = text.words[number - 1]
    if not before.is_plain or len(before.text) < 3 or before.lower in _ABBREVIATIONS:
        return None
    first = word.text[0].upper()
    if len(first) != 1 or first == word.text[0]:
        return None
    return issue(
        text,
        "majuscule",
        number,
        number,
        first + word.text[1:],
        "Une phrase commence par une majuscule.",
    )


def _month(text: Text, number: int) -> Issue | None:
    """``en Janvier``."""
    word = text.words[number]
    if word.lower not in _MONTHS or word.text == word.lower or word.text.isupper():
        return None
    if not word.follows or text.at(number - 1).lower != "en":
        return None
    after = text.at(number + 1)
    if after.follows and after.text[:1].isupper():
        return None  # a name, perhaps
    return issue(
        text, "mois-en-minuscule", number, number, word.lower, "Les mois s'écrivent sans majuscule."
    )


def _is_letter(sign: str) -> bool:
    return sign.isalpha()
