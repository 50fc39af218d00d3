"""The rules by name, and what a rule finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec

from reference_app.fluide.checker.tokens import Text

Kind = Literal["typographie", "orthographe", "élision", "accord", "homophone"]


class Issue(msgspec.Struct, frozen=True):
    """A place where a rule finds something.

    Attributes:
        rule: Name of the rule.
        start: First sign of the place in the text, counted in Unicode code points.
        end: Behind its last sign.
        found: What stands there.
        suggestion: What should.
        message: Why, for the learner.
    """

    rule: str
    start: int
    end: int
    found: str
    suggestion: str
    message: str


Look = Callable[[Text, int], Issue | None]
"""Looks at the word of a place and its neighbours; what it finds, or None."""

LookAll = Callable[[Text], Iterator[Issue]]
"""Looks at a whole text."""

RULES: Final[dict[str, Kind]] = {
    "espaces-multiples": "typographie",
    "espace-avant-virgule": "typographie",
    "espace-apres-virgule": "typographie",
    "espace-avant-signe-double": "typographie",
    "points-de-suspension": "typographie",
    "etc": "typographie",
    "guillemets": "typographie",
    "parentheses": "typographie",
    "majuscule": "typographie",
    "mois-en-minuscule": "typographie",
    "mot-mal-ecrit": "orthographe",
    "elision": "élision",
    "cet": "élision",
    "mon-devant-voyelle": "élision",
    "bel-nouvel-vieil": "élision",
    "article-contracte": "élision",
    "pluriel": "accord",
    "genre": "accord",
    "sujet-verbe": "accord",
    "participe-infinitif": "accord",
    "si-conditionnel": "accord",
    "a-a-accent": "homophone",
    "est-et": "homophone",
    "son-sont": "homophone",
    "on-ont": "homophone",
    "ou-ou-accent": "homophone",
    "ces-ses-c-est": "homophone",
    "se-ce": "homophone",
    "peu-peut-peux": "homophone",
    "la-l-a": "homophone",
    "quant-a": "homophone",
    "sa-ca": "homophone",
    "leur-leurs": "homophone",
    "tout-tous": "homophone",
    "ai-est": "homophone",
}
"""Every rule with its kind; an explanation and exercises stand behind each (schema/270)."""


def issue(
    text: Text, rule: str, first: int, last: int, suggestion: str, message: str
) -> Issue | None:
    """What is found over the words ``first`` to ``last``; None if it is right as it stands."""
    start, end = text.words[first].start, text.words[last].end
    return at(text, rule, start, end, suggestion, message)


def at(text: Text, rule: str, start: int, end: int, suggestion: str, message: str) -> Issue | None:
    """What is found at a place; None if it is right as it stands."""
    found = text.raw[start:end]
    if found == suggestion:
        return None
    return Issue(rule, start, end, found, suggestion, message)


def like(model: str, suggestion: str) -> str:
    """The suggestion with the capitals of what it replaces."""
    if len(model) > 1 and model.isupper():
        return suggestion.upper()
    if model[:1].isupper():
        return suggestion[:1].upper() + suggestion[1:]
    return suggestion
