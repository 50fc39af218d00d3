"""Words that sound alike, where their neighbours tell which one is meant."""

from __future__ import annotations

from typing import Final

from reference_app.fluide.checker import verbs
from reference_app.fluide.checker.agreement import is_subject
from reference_app.fluide.checker.lexicon import GENDERS, PLURALS, is_verb_form_too, listed
from reference_app.fluide.checker.rules import Issue, Look, issue, like
from reference_app.fluide.checker.tokens import Text

_HE: Final = ("il", "elle", "on")
_THEY: Final = ("ils", "elles")


def _has_subject(text: Text, place: int, subjects: tuple[str, ...]) -> bool:
    """One of the subjects stands right before the word of this place."""
    word, before = text.words[place], text.at(place - 1)
    return word.follows and before.lower in subjects and is_subject(text, place - 1)


def _instead(text: Text, place: int, rule: str, right: str, message: str) -> Issue | None:
    """The word of this place should be another one, with its capitals."""
    return issue(text, rule, place, place, like(text.words[place].text, right), message)


def _ends_there(text: Text, place: int) -> bool:
    """Nothing of the sentence follows the word of this place."""
    gap = text.gap_after(place)
    return gap.lstrip(" \u00a0\u202f")[:1] in ("", ".", ",", ";", "!", "?", "…", "\n")


# a, à -------------------------------------------------------------------------------------

_GOES: Final = frozenset(["vais", "vas", "allons", "allez", "vont"])
_WANTS_TO: Final = frozenset(
    listed(
        """
        prêt prête prêts prêtes facile faciles difficile difficiles machine
        """
    )
)


def _a_grave(text: Text, place: int) -> Issue | None:
    """``il à mangé``."""
    if _has_subject(text, place, _HE):
        return _instead(
            text,
            place,
            "a-a-accent",
            "a",
            "« a », du verbe avoir, n'a pas d'accent : on peut dire « avait ».",
        )
    return None


def _a(text: Text, place: int) -> Issue | None:
    """``je vais a la plage``, ``prêt a partir``."""
    word, before, after = text.words[place], text.at(place - 1), text.at(place + 1)
    if not word.follows or not after.follows or word.text != "a":
        return None
    to_a_place = before.lower in _GOES
    to_do = before.lower in _WANTS_TO and (
        after.lower in verbs.INFINITIVES or (after.lower, "présent") in verbs.TABLES
    )
    if not (to_a_place or to_do):
        return None
    return _instead(
        text,
        place,
        "a-a-accent",
        "à",
        "« à », préposition, prend un accent : « avait » est impossible.",
    )


# est, et ----------------------------------------------------------------------------------

_AFTER_IL_ET: Final = frozenset(
    listed(
        """
        elle elles moi toi lui eux ils nous vous on il
        """
    )
)


def _et(text: Text, place: int) -> Issue | None:
    """``il et parti``, ``c'et``."""
    word, before, after = text.words[place], text.at(place - 1), text.at(place + 1)
    is_it = word.is_elided_onto and before.lower in ("c", "s")
    he_is = _has_subject(text, place, ("il", "on")) and (
        after.follows and after.is_plain and after.lower not in _AFTER_IL_ET
    )
    if not (is_it or he_is):
        return None
    return _instead(
        text, place, "est-et", "est", "« est », du verbe être : on peut dire « était »."
    )


# son, sont; on, ont -----------------------------------------------------------------------


def _son(text: Text, place: int) -> Issue | None:
    """``ils son partis``."""
    if not _has_subject(text, place, _THEY):
        return None
    return _instead(
        text, place, "son-sont", "sont", "« sont », du verbe être : on peut dire « étaient »."
    )


def _sont(text: Text, place: int) -> Issue | None:
    """``avec sont ami``."""
    word, noun = text.words[place], text.at(place + 1)
    if not word.follows or text.at(place - 1).lower not in ("avec", "dans", "sur", "chez"):
        return None
    if not noun.follows or noun.lower not in GENDERS:
        return None
    return _instead(
        text, place, "son-sont", "son", "« son » dit à qui c'est : on peut dire « mon »."
    )


def _on(text: Text, place: int) -> Issue | None:
    """``ils on mangé``."""
    if not _has_subject(text, place, _THEY):
        return None
    return _instead(
        text, place, "on-ont", "ont", "« ont », du verbe avoir : on peut dire « avaient »."
    )


def _ont(text: Text, place: int) -> Issue | None:
    """``Ont va``."""
    word, after = text.words[place], text.at(place + 1)
    if not word.begins_sentence or not after.follows:
        return None
    if after.lower not in ("a", "est", "va", "peut", "doit", "veut", "sait"):
        return None
    return _instead(text, place, "on-ont", "on", "« on » est le sujet : on peut dire « il ».")


# ou, où -----------------------------------------------------------------------------------

_PLACES: Final = frozenset(
    listed(
        """
        ville pays maison endroit jour moment école rue village lieu année heure époque région
        """
    )
)


def _ou(text: Text, place: int) -> Issue | None:
    """``la ville ou je vis``, ``d'ou``, ``Ou est``."""
    word, before, after = text.words[place], text.at(place - 1), text.at(place + 1)
    from_where = word.is_elided_onto and before.lower == "d"
    there = (
        word.follows
        and before.lower in _PLACES
        and (after.follows and after.lower in ("je", "tu", "il", "ils", "on", "j"))
    )
    asks = (
        word.begins_sentence
        and after.follows
        and after.lower in ("est", "sont", "vas", "va", "habites", "étais", "était")
    )
    if not (from_where or there or asks):
        return None
    return _instead(
        text,
        place,
        "ou-ou-accent",
        "où",
        "« où », le lieu ou le temps, prend un accent : « ou bien » est impossible.",
    )


# ces, ses, c'est, s'est; ce, se -----------------------------------------------------------


def _ces(text: Text, place: int) -> Issue | None:
    """``ces un ami``."""
    after = text.at(place + 1)
    if not after.follows or after.lower not in ("un", "une", "le", "la", "mon", "ma", "moi", "toi"):
        return None
    if text.at(place + 2).lower == "peu":
        return None
    return _instead(text, place, "ces-ses-c-est", "c'est", "« c'est » : on peut dire « cela est ».")


def _il_c_est(text: Text, place: int) -> Issue | None:
    """``il c'est trompé``."""
    if not text.at(place + 1).is_elided_onto or text.at(place + 1).lower != "est":
        return None
    if not _has_subject(text, place, ("il", "on")):
        return None
    return _instead(
        text, place, "ces-ses-c-est", "s", "« s'est » : on peut dire « me suis », « t'es »."
    )


def _ce(text: Text, place: int) -> Issue | None:
    """``il ce lève``."""
    if not _has_subject(text, place, ("il", "on", "ils")) or not text.at(place + 1).follows:
        return None
    return _instead(text, place, "se-ce", "se", "« se » devant un verbe : on peut dire « me ».")


def _se(text: Text, place: int) -> Issue | None:
    """``se matin``."""
    noun = text.at(place + 1)
    if not noun.follows or GENDERS.get(noun.lower) != "m" or is_verb_form_too(noun.lower):
        return None
    return _instead(text, place, "se-ce", "ce", "« ce » devant un nom : on peut dire « un ».")


# peu, peut, peux --------------------------------------------------------------------------


def _peut(text: Text, place: int) -> Issue | None:
    """``un peut``."""
    if not text.words[place].follows or text.at(place - 1).lower != "un":
        return None
    return _instead(
        text, place, "peu-peut-peux", "peu", "« peu » est le contraire de « beaucoup »."
    )


def _peu(text: Text, place: int) -> Issue | None:
    """``il peu``."""
    for subjects, right in ((("je", "tu"), "peux"), (("il", "on", "elle", "ça"), "peut")):
        if _has_subject(text, place, subjects):
            return _instead(
                text,
                place,
                "peu-peut-peux",
                right,
                f"« {right} », du verbe pouvoir : on peut dire « pouvait ».",
            )
    return None


# la, là, l'a ------------------------------------------------------------------------------


def _l_a_grave(text: Text, place: int) -> Issue | None:
    """``il l'à vu``."""
    word, before, after = text.words[place], text.at(place - 1), text.at(place + 1)
    if word.text != "à" or not word.is_elided_onto or before.lower != "l":
        return None
    if after.is_hyphened or not after.follows or after.lower in ("propos", "peu", "côté"):
        return None
    return _instead(text, place, "la-l-a", "a", "« l'a » : on peut dire « l'avait ».")


def _la(text: Text, place: int) -> Issue | None:
    """``il la mangé``."""
    verb = text.at(place + 1)
    if not verb.follows or verb.lower not in verbs.PARTICIPLES:
        return None
    if not _has_subject(text, place, ("il", "elle", "on")):
        return None
    return _instead(text, place, "la-l-a", "l'a", "« l'a » : on peut dire « l'avait ».")


# the others -------------------------------------------------------------------------------


def _quand(text: Text, place: int) -> Issue | None:
    """``quand à moi``."""
    preposition, whom = text.at(place + 1), text.at(place + 2)
    if preposition.text != "à" or not preposition.follows or not whom.follows:
        return None
    if whom.lower not in ("moi", "toi", "lui", "eux", "nous", "vous"):
        return None
    return _instead(
        text, place, "quant-a", "quant", "« quant à » : on peut dire « en ce qui concerne »."
    )


_AFTER_THAT: Final = frozenset(
    listed(
        """
        va ne me te fait suffit dépend doit peut sera serait
        """
    )
)


def _sa(text: Text, place: int) -> Issue | None:
    """``sa va``."""
    word, after = text.words[place], text.at(place + 1)
    follows = after.follows and (
        after.lower in _AFTER_THAT
        or (after.lower in ("n", "m", "t") and text.at(place + 2).is_elided_onto)
    )
    like_that = (
        word.follows
        and text.at(place - 1).lower in ("comme", "pour", "avec")
        and _ends_there(text, place)
    )
    if not (follows or like_that) or word.is_hyphened:
        return None
    return _instead(text, place, "sa-ca", "ça", "« ça » : on peut dire « cela ».")


def _leurs(text: Text, place: int) -> Issue | None:
    """``je leurs parle``."""
    if not _has_subject(text, place, ("je", "tu", "il", "on", "ils")):
        return None
    return _instead(
        text,
        place,
        "leur-leurs",
        "leur",
        "Devant un verbe, « leur » est invariable : on peut dire « lui ».",
    )


def _tout(text: Text, place: int) -> Issue | None:
    """``tout les jours``; a noun must follow, as ``tout les oppose`` is right."""
    word, article, noun = text.words[place], text.at(place + 1), text.at(place + 2)
    if not article.follows or not noun.follows:
        return None
    if word.lower == "tout":
        if article.lower not in ("les", "mes", "tes", "ses", "ces", "nos", "vos"):
            return None
        if noun.lower not in PLURALS or is_verb_form_too(noun.lower.removesuffix("s")):
            return None
        if GENDERS.get(noun.lower.removesuffix("s")) != "m":
            return None  # toutes les: more than one letter, left alone
        right = "tous"
    else:
        if article.lower != "le" or noun.lower not in ("monde", "temps", "jour", "pays"):
            return None
        right = "tout"
    return _instead(text, place, "tout-tous", right, "« tout » s'accorde avec le nom.")


def _n_est(text: Text, place: int) -> Issue | None:
    """``je n'est pas``."""
    verb = text.at(place + 1)
    if verb.lower != "est" or not verb.is_elided_onto:
        return None
    if not _has_subject(text, place, ("je",)):
        return None
    return issue(text, "ai-est", place + 1, place + 1, "ai", "« je n'ai », du verbe avoir.")


BY_WORD: Final[dict[str, tuple[Look, ...]]] = {
    "à": (_l_a_grave, _a_grave),
    "a": (_a,),
    "et": (_et,),
    "son": (_son,),
    "sont": (_sont,),
    "on": (_on,),
    "ont": (_ont,),
    "ou": (_ou,),
    "ces": (_ces,),
    "ses": (_ces,),
    "c": (_il_c_est,),
    "ce": (_ce,),
    "se": (_se,),
    "peut": (_peut,),
    "peu": (_peu,),
    "la": (_la,),
    "quand": (_quand,),
    "sa": (_sa,),
    "leurs": (_leurs,),
    "tout": (_tout,),
    "tous": (_tout,),
    "n": (_n_est,),
}
