"""Words that are often written wrong, and never right."""

from __future__ import annotations

from typing import Final

from reference_app.fluide.checker.rules import Issue, Look, issue, like
from reference_app.fluide.checker.tokens import Text

WRONG: Final[dict[str, str]] = {
    "acceuil": "accueil",
    "acceuillir": "accueillir",
    "addresse": "adresse",
    "addresses": "adresses",
    "aggressif": "agressif",
    "aggréable": "agréable",
    "apartement": "appartement",
    "apartements": "appartements",
    "aujourdhui": "aujourd'hui",
    "beaucoups": "beaucoup",
    "biensur": "bien sûr",
    "biensûr": "bien sûr",
    "cependent": "cependant",
    "cueuillir": "cueillir",
    "dévelopement": "développement",
    "dilemne": "dilemme",
    "évènnement": "évènement",
    "exemplaîre": "exemplaire",
    "gentillement": "gentiment",
    "hypothése": "hypothèse",
    "maintenent": "maintenant",
    "malgrés": "malgré",
    "millieu": "milieu",
    "notament": "notamment",
    "occurence": "occurrence",
    "occurences": "occurrences",
    "ortographe": "orthographe",
    "parceque": "parce que",
    "parmis": "parmi",
    "personellement": "personnellement",
    "plusieur": "plusieurs",
    "professionel": "professionnel",
    "professionelle": "professionnelle",
    "quelquechose": "quelque chose",
    "recomander": "recommander",
    "toujour": "toujours",
    "traditionel": "traditionnel",
    "traditionelle": "traditionnelle",
    "vraiement": "vraiment",
}


def _misspelt(text: Text, place: int) -> Issue | None:
    word = text.words[place]
    right = like(word.text, WRONG[word.lower])
    return issue(text, "mot-mal-ecrit", place, place, right, f"On écrit « {WRONG[word.lower]} ».")


BY_WORD: Final[dict[str, tuple[Look, ...]]] = dict.fromkeys(WRONG, (_misspelt,))
