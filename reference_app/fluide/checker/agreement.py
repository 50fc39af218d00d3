"""Words that must agree: article and noun, subject and verb, auxiliary and participle."""

from __future__ import annotations

from typing import Final

from reference_app.fluide.checker import verbs
from reference_app.fluide.checker.lexicon import (
    GENDERS,
    Gender,
    begins_with_vowel,
    is_verb_form_too,
    listed,
    plural,
)
from reference_app.fluide.checker.rules import Issue, Look, issue, like
from reference_app.fluide.checker.tokens import Text

# article and noun -------------------------------------------------------------------------

_SEVERAL: Final = (
    "les", "des", "aux", "mes", "tes", "ses", "ces", "nos", "vos", "plusieurs", "quelques",
    "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix",
)  # fmt: skip


def _noun_behind(text: Text, place: int) -> str | None:
    """The noun of the lexicon right behind a word, in small letters; None for anything else."""
    word, noun = text.words[place], text.at(place + 1)
    if not noun.follows or noun.text != noun.lower or word.is_hyphened:
        return None
    if text.at(place + 2).is_hyphened or text.at(place + 2).is_elided_onto:
        return None  # porte-monnaie, presqu'île
    return noun.lower


def _plural(text: Text, place: int) -> Issue | None:
    """``les table``."""
    word, noun = text.words[place], _noun_behind(text, place)
    if noun is None or noun not in GENDERS:
        return None
    if word.lower == "les" and is_verb_form_too(noun):
        return None  # il les porte
    return issue(
        text,
        "pluriel",
        place + 1,
        place + 1,
        plural(noun),
        f"Après « {word.lower} », le nom est au pluriel.",
    )


_OTHER_GENDER: Final[dict[str, tuple[Gender, str]]] = {
    "un": ("m", "une"),
    "une": ("f", "un"),
    "le": ("m", "la"),
    "la": ("f", "le"),
    "ce": ("m", "cette"),
    "cet": ("m", "cette"),
    "cette": ("f", "ce"),
    "mon": ("m", "ma"),
    "ton": ("m", "ta"),
    "son": ("m", "sa"),
    "ma": ("f", "mon"),
    "ta": ("f", "ton"),
    "sa": ("f", "son"),
    "du": ("m", "de la"),
    "au": ("m", "à la"),
}


def _gender(text: Text, place: int) -> Issue | None:
    """``une problème``."""
    word, noun = text.words[place], _noun_behind(text, place)
    if noun is None or noun not in GENDERS or word.is_elided_onto:
        return None
    gender, right = _OTHER_GENDER[word.lower]
    if GENDERS[noun] == gender:
        return None
    if begins_with_vowel(noun):
        if word.lower in ("mon", "ton", "son"):
            return None  # mon amie
        right = {"la": "l'", "le": "l'", "ce": "cet", "de la": "de l'", "à la": "à l'"}.get(
            right, right
        )
    if word.lower in ("le", "la", "ce") and is_verb_form_too(noun):
        return None  # il la lit
    right = like(word.text, right)
    return issue(
        text,
        "genre",
        place,
        place + 1,
        right + ("" if right.endswith("'") else " ") + text.at(place + 1).text,
        f"« {noun} » est {'masculin' if GENDERS[noun] == 'm' else 'féminin'}.",
    )


# subject and verb -------------------------------------------------------------------------

_BEFORE_ELLE: Final = frozenset(("et", "mais", "car", "quand", "que", "qu", "si", "donc", "où"))


def is_subject(text: Text, place: int) -> bool:
    """The pronoun of this place stands where only a subject can.

    ``elle`` may follow a preposition (``avec elle``), and any pronoun may be behind its verb.
    """
    word = text.words[place]
    if word.is_hyphened:
        return False
    if word.lower in ("elle", "elles"):
        return word.begins_sentence or text.at(place - 1).lower in _BEFORE_ELLE
    return True


def _verb_behind(text: Text, place: int) -> int | None:
    """Place of the verb behind a subject, beyond ``ne``; None when nothing follows directly."""
    after = text.at(place + 1)
    if text.words[place].lower == "j":
        return place + 1 if after.is_elided_onto else None
    if not after.follows:
        return None
    if after.lower == "ne" and text.at(place + 2).follows:
        return place + 2
    if after.lower == "n" and text.at(place + 2).is_elided_onto:
        return place + 2
    return place + 1


_AMBIGUOUS: Final = frozenset(("suis",))
"""Of ``être`` and of ``suivre``."""


def _subject(text: Text, place: int) -> Issue | None:
    """``tu mange``."""
    word = text.words[place]
    if not is_subject(text, place):
        return None
    verb_place = _verb_behind(text, place)
    if verb_place is None:
        return None
    verb = text.at(verb_place)
    subject = "je" if word.lower == "j" else word.lower
    if not verb.is_plain or verb.lower in _AMBIGUOUS:
        return None
    right = verbs.agreeing(verb.lower, verbs.PERSONS[subject])
    if right is None:
        return None
    if subject == "je" and begins_with_vowel(right) != begins_with_vowel(verb.lower):
        return None  # je est, j'es: the subject would change, too
    return issue(
        text,
        "sujet-verbe",
        verb_place,
        verb_place,
        like(verb.text, right),
        f"Le verbe s'accorde avec « {subject} ».",
    )


# infinitive and participle ----------------------------------------------------------------

_ALWAYS_SUBJECTS: Final = frozenset(
    listed(
        """
        j je tu il elle on nous vous ils elles
        """
    )
)

_BEFORE_INFINITIVE: Final = frozenset(
    listed(
        """
        peux peut pouvons pouvez peuvent veux veut voulons voulez veulent dois doit devons devez
        doivent vais vas allons allez vont
        """
    )
)


def _participle(text: Text, place: int) -> Issue | None:
    """``j'ai manger``."""
    before, verb = text.at(place - 1), text.at(place + 1)
    if before.lower not in _ALWAYS_SUBJECTS or not verb.follows:
        return None
    word = text.words[place]
    if not (word.follows or word.is_elided_onto) or before.is_hyphened:
        return None
    right = verbs.INFINITIVES.get(verb.lower)
    if right is None:
        return None
    return issue(
        text,
        "participe-infinitif",
        place + 1,
        place + 1,
        like(verb.text, right),
        f"Après « {word.lower} », le verbe est au participe passé.",
    )


def _infinitive(text: Text, place: int) -> Issue | None:
    """``je peux mangé``, ``pour mangé``."""
    word, verb = text.words[place], text.at(place + 1)
    right = verbs.PARTICIPLES.get(verb.lower)
    if right is None or not verb.follows or word.is_hyphened:
        return None
    return issue(
        text,
        "participe-infinitif",
        place + 1,
        place + 1,
        like(verb.text, right),
        f"Après « {word.lower} », le verbe est à l'infinitif.",
    )


# si and the conditional -------------------------------------------------------------------

_AFTER_SI: Final = {"aurais": "avais", "aurait": "avait", "aurions": "avions", "auriez": "aviez",
                    "auraient": "avaient", "serais": "étais", "serait": "était",
                    "seraient": "étaient"}  # fmt: skip


def _si(text: Text, place: int) -> Issue | None:
    """``Si j'aurais su``; only where the sentence begins, as ``je ne sais si`` is a question."""
    word, subject, verb = text.words[place], text.at(place + 1), text.at(place + 2)
    if not word.begins_sentence or subject.lower not in _ALWAYS_SUBJECTS:
        return None
    if not (verb.follows or verb.is_elided_onto) or verb.lower not in _AFTER_SI:
        return None
    right = _AFTER_SI[verb.lower]
    if begins_with_vowel(right) != begins_with_vowel(verb.lower) and subject.lower in ("je", "j"):
        return issue(text, "si-conditionnel", place + 1, place + 2, "j'" + right, _NO_CONDITIONAL)
    return issue(text, "si-conditionnel", place + 2, place + 2, right, _NO_CONDITIONAL)


_NO_CONDITIONAL: Final = "Après « si », on emploie l'imparfait, pas le conditionnel."

BY_WORD: Final[dict[str, tuple[Look, ...]]] = {
    **dict.fromkeys(_SEVERAL, (_plural,)),
    **dict.fromkeys(_OTHER_GENDER, (_gender,)),
    **dict.fromkeys(("j", "je", "tu", "il", "elle", "on", "ils", "elles"), (_subject,)),
    **dict.fromkeys(verbs.HAVING, (_participle,)),
    **dict.fromkeys((*_BEFORE_INFINITIVE, "pour", "sans"), (_infinitive,)),
    "si": (_si,),
    "s": (_si,),
}
