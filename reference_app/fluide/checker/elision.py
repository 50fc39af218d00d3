"""Before a vowel: ``l'``, ``cet``, ``mon``, ``bel``; and the articles that contract."""

from __future__ import annotations

from typing import Final

from reference_app.fluide.checker.lexicon import (
    GENDERS,
    begins_with_vowel,
    is_verb_form_too,
    listed,
)
from reference_app.fluide.checker.rules import Issue, Look, issue, like
from reference_app.fluide.checker.tokens import Text

_BEFORE_ANY_VOWEL: Final = ("je", "me", "te", "se", "le", "la", "de", "ne", "que", "jusque")
_BEFORE_SOME: Final = {
    "lorsque": ("il", "ils", "elle", "elles", "on", "un", "une", "en"),
    "puisque": ("il", "ils", "elle", "elles", "on", "un", "une", "en"),
    "quoique": ("il", "ils", "elle", "elles", "on", "un", "une", "en"),
    "quelque": ("un", "une"),
    "si": ("il", "ils"),
    "ce": ("est", "était", "étaient"),
}
_ALSO: Final = {"que": ("un", "une"), "ne": ("a",), "me": ("a",), "te": ("a",), "se": ("a",),
                "jusque": ("à",)}  # fmt: skip


def _elides(text: Text, place: int) -> Issue | None:
    """``le homme``: the vowel of the small word falls."""
    word, after = text.words[place], text.at(place + 1)
    if not after.follows or not after.is_plain or word.is_hyphened:
        return None
    if after.text[:2].isupper() or (word.text[0].isupper() and after.text[0].isupper()):
        return None  # abbreviations, numbers, titles: la ONU, la IIIe, La Isla
    if word.lower in _BEFORE_SOME:
        falls = after.lower in _BEFORE_SOME[word.lower]
    else:
        falls = begins_with_vowel(after.lower) or after.lower in _ALSO.get(word.lower, ())
    if not falls or text.at(place + 2).is_hyphened:
        return None
    right = word.text[:-1] + "'" + after.text
    return issue(
        text,
        "elision",
        place,
        place + 1,
        right,
        f"Devant une voyelle ou un h muet, « {word.lower} » s'élide.",
    )


_MASCULINE_VOWEL: Final = frozenset(
    noun for noun, gender in GENDERS.items() if gender == "m" and begins_with_vowel(noun)
) | frozenset(
    listed(
        """
        ancien énorme immense excellent autre endroit élève effort objet outil élément
        """
    )
)  # fmt: skip

_FEMININE_VOWEL: Final = frozenset(
    noun for noun, gender in GENDERS.items() if gender == "f" and begins_with_vowel(noun)
) | frozenset(
    listed(
        """
        ancienne enfance équipe aide âme attention attitude affaire arrivée
        """
    )
)


def _cet(text: Text, place: int) -> Issue | None:
    """``ce homme``."""
    word, after = text.words[place], text.at(place + 1)
    if not after.follows or after.lower not in _MASCULINE_VOWEL or word.is_hyphened:
        return None
    right = like(word.text, "cet") + " " + after.text
    return issue(
        text,
        "cet",
        place,
        place + 1,
        right,
        "Devant un nom masculin qui commence par une voyelle ou un h muet, on écrit « cet ».",
    )


_MON: Final = {"ma": "mon", "ta": "ton", "sa": "son"}


def _mon(text: Text, place: int) -> Issue | None:
    """``ma amie``."""
    word, after = text.words[place], text.at(place + 1)
    if not after.follows or after.lower not in _FEMININE_VOWEL:
        return None
    right = _MON[word.lower]
    return issue(
        text,
        "mon-devant-voyelle",
        place,
        place,
        like(word.text, right),
        f"Devant une voyelle ou un h muet, « {word.lower} » devient « {right} ».",
    )


_BEL: Final = {"beau": "bel", "nouveau": "nouvel", "vieux": "vieil"}


def _bel(text: Text, place: int) -> Issue | None:
    """``un beau homme``; behind an article, as ``vieux amis`` may be several."""
    word, after, before = text.words[place], text.at(place + 1), text.at(place - 1)
    if not after.follows or after.lower not in _MASCULINE_VOWEL:
        return None
    if not word.follows or before.lower not in ("un", "le", "ce", "mon", "ton", "son", "du"):
        return None
    right = _BEL[word.lower]
    return issue(
        text,
        "bel-nouvel-vieil",
        place,
        place,
        like(word.text, right),
        f"Devant un nom masculin qui commence par une voyelle, « {word.lower} » devient "
        f"« {right} ».",
    )


_CONTRACTED: Final = {("de", "le"): "du", ("à", "le"): "au", ("de", "les"): "des",
                      ("à", "les"): "aux"}  # fmt: skip


def _contracts(text: Text, place: int) -> Issue | None:
    """``de le pain``; a noun must follow, as ``de le voir`` is right."""
    word, article, noun = text.words[place], text.at(place + 1), text.at(place + 2)
    right = _CONTRACTED.get((word.lower, article.lower))
    if right is None or not article.follows or not noun.follows or word.is_hyphened:
        return None
    singular = noun.lower.removesuffix("s") if article.lower == "les" else noun.lower
    if article.text != article.lower or singular not in GENDERS or is_verb_form_too(singular):
        return None
    if begins_with_vowel(noun.lower) and article.lower == "le":
        return None  # elides instead: de l'hôtel
    return issue(
        text,
        "article-contracte",
        place,
        place + 1,
        like(word.text, right),
        f"« {word.lower} {article.lower} » se contracte en « {right} ».",
    )


BY_WORD: Final[dict[str, tuple[Look, ...]]] = {
    **dict.fromkeys((*_BEFORE_ANY_VOWEL, *_BEFORE_SOME), (_elides,)),
    "ce": (_cet, _elides),
    "de": (_contracts, _elides),
    "à": (_contracts,),
    **dict.fromkeys(_MON, (_mon,)),
    **dict.fromkeys(_BEL, (_bel,)),
}
